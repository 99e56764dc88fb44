import { type SessionsAtRest } from '../../session/at-rest/sessions-at-rest.js';
import { type SessionCodec } from '../../session/attributes/codec.js';
import { type SessionEventHandler, type SessionLanes } from '../../session/session-event.js';
import { type SessionLogger } from '../../lib/logger.js';
import { type FailureLog } from '../../lib/background-loop.js';
import { type IndexedSessionKeys } from '../indexed/indexed-session.keys.js';
import { groupsOf, type RedisClient } from '../client/redis-client.js';
import { type StreamEntry } from './session-event.mapper.js';
import { setImmediate as breathe } from 'node:timers/promises';

/** What a {@link SessionEventSource} works with. */
export interface SessionEventSourceInput {
  /** Undefined = events hold plain texts. */
  readonly atRest?: SessionsAtRest;
  readonly client: RedisClient;
  readonly codec: SessionCodec;
  readonly commandTimeoutMs: number;
  readonly handler: SessionEventHandler;
  /** Ms after which a handler that has not finished counts as failed. @defaultValue a minute */
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

/** Ms between two looks at the streams at most: no event is later than half a second. */
export const MAX_EVENT_PAUSE_MS = 490;

/** How many events of a partition a replica has taken and not yet handled at most. */
export const EVENT_BATCH_SIZE = 50;

/** How many events a replica handles at the same time, each of another session. */
export const MAX_EVENTS_AT_ONCE = 50;

/** One of the streams that a source reads. */
export interface EventPartition {
  readonly key: string;
  /** How many more events it can take now. */
  readonly room: number;
  /** Begins to handle them, and does not wait for the handlers. */
  begin(entries: readonly StreamEntry[]): void;
}

/** What XREAD and XREADGROUP answer; null = nothing new. */
export type StreamsReply =
  readonly (readonly [key: string, entries: readonly StreamEntry[]])[] | null;

/**
 * Reads the partitions until there are no events, or no room for more; does not wait for the handlers. One command reads
 * them all, in a Redis Cluster one each. If one fails, the others are read to their end before that is thrown.
 *
 * @param read - asks for `count` events of each partition
 * @returns how many were taken
 */
export async function takeAll<P extends EventPartition>(
  client: RedisClient,
  partitions: readonly P[],
  read: (group: readonly P[], count: number) => Promise<StreamsReply>,
  isStopped: () => boolean,
): Promise<number> {
  let total = 0;
  let failure: PromiseRejectedResult | undefined;
  let open = partitions.filter(({ room }) => room > 0);
  while (open.length > 0) {
    const groups = groupsOf(client, open);
    const replies = await Promise.allSettled(
      groups.map((group) => read(group, Math.min(...group.map(({ room }) => room)))),
    );
    failure ??= replies.find((reply) => reply.status === 'rejected');
    const streams = replies.flatMap((reply) => ('value' in reply && reply.value) || []);
    // The client may put a prefix before each key.
    const taken = open.filter((partition) => {
      const entries = streams.find(([key]) => key.endsWith(partition.key))?.[1] ?? [];
      partition.begin(entries);
      total += entries.length;
      return entries.length > 0;
    });
    if (isStopped()) break;
    // Handlers that are quick make room.
    if (taken.length > 0) await breathe();
    open = taken.filter(({ room }) => room > 0);
  }
  if (failure) throw failure.reason;
  return total;
}
