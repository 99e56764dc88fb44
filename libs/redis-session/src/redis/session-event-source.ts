import { type SessionCodec } from '../session/session-codec.js';
import { type SessionEventHandler } from '../session/session-event.js';
import { type SessionLogger } from '../session/session-logger.js';
import { type FailureLog } from './failure-log.js';
import { type IndexedSessionKeys } from './indexed-session.keys.js';
import { type RedisClient } from './redis-session.commands.js';
import { type SessionLanes } from './session-lanes.js';

/** What a {@link SessionEventSource} works with. */
export interface SessionEventSourceInput {
  readonly client: RedisClient;
  readonly codec: SessionCodec;
  readonly commandTimeoutMs: number;
  readonly handler: SessionEventHandler;
  /** Ms after which a handler that has not finished counts as failed. @defaultValue {@link HANDLER_TIMEOUT_MS} */
  readonly handlerTimeoutMs?: number;
  readonly keys: IndexedSessionKeys;
  readonly logger: SessionLogger;
  /**
   * Name of this replica, unlike that of any other one that runs. One that is restarted under the same name goes on where
   * it was.
   */
  readonly replicaName: string;
}

/** What the partitions of a {@link SessionEventSource} have in common. */
export interface SharedByPartitions {
  /** Of what is to be done once events are handled. */
  readonly failures: FailureLog;
  readonly lanes: SessionLanes;
}

/** Brings the events of all replicas to one handler. */
export interface SessionEventSource {
  start(): Promise<void>;
  /** Resolves when no event is being handled any more. */
  stop(): Promise<void>;
}

/** Ms between two looks at the streams: how late an event is at most when there is little to do. */
export const EVENT_PAUSE_MS = 250;

/** How many events of a partition a replica has taken and not yet handled at most. */
export const EVENT_BATCH_SIZE = 50;

/** How many events a replica handles at the same time, each of another session. */
export const MAX_EVENTS_AT_ONCE = 50;

/** Much longer than a handler should take. */
export const HANDLER_TIMEOUT_MS = 60_000;
