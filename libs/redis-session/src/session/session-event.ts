import { readable } from '../lib/logger.js';
import { STABLE_PREFIX_LENGTH } from './session-id.js';

/** What happened to a session. Mirrors the event classes of Spring Session, which know no changed id. */
export const SessionEventType = {
  /** Stored for the first time. */
  Created: 'created',
  /** Ended on purpose: logout, `invalidate()`, signed out by somebody else. */
  Deleted: 'deleted',
  /** Ended because its time was over. */
  Expired: 'expired',
  /** Has another id; `previousSessionId` is dead. */
  IdChanged: 'id-changed',
} as const;

/** One of the values of {@link SessionEventType}. */
export type SessionEventType = (typeof SessionEventType)[keyof typeof SessionEventType];

/** Something that happened to a session, with what is left of it. */
export interface SessionEvent {
  /** The same each time that the event is delivered: handlers recognise a repetition by it. */
  readonly eventId: string;
  /** What happened. */
  readonly type: SessionEventType;
  /** The id of the session, or its storage id with `hashIds`. */
  readonly sessionId: string;
  /** Only of 'id-changed'. */
  readonly previousSessionId: string | undefined;
  /** Only of 'deleted', when it was not the user's own logout: such as `expired-by-newer-login`. */
  readonly reason: string | undefined;
  /** undefined = anonymous, or nothing is left of the session */
  readonly principalName: string | undefined;
  /** Values of all indexes by the index's name, the principal among them. */
  readonly indexes: ReadonlyMap<string, string>;
  /** As last saved; only those that the option `eventAttributes` names. */
  readonly attributes: ReadonlyMap<string, unknown>;
  /** When Redis recorded it. */
  readonly occurredAt: Date;
}

/** How events reach the handlers of several replicas. */
export const SessionEventDelivery = {
  /** Events are not recorded. */
  None: 'none',
  /** One replica handles each event; another one takes over when it dies before it has finished. */
  Once: 'once',
  /** Every replica handles each event. */
  Broadcast: 'broadcast',
} as const;

/** One of the values of {@link SessionEventDelivery}. */
export type SessionEventDelivery = (typeof SessionEventDelivery)[keyof typeof SessionEventDelivery];

/**
 * Handles one event. When it rejects, `'once'` delivers the event again after a minute, `'broadcast'` does not.
 */
export type SessionEventHandler = (event: SessionEvent) => void | Promise<void>;

/** Brings the events of all replicas to one handler. */
export interface SessionEventSource {
  /** Begins to deliver events. */
  start(): Promise<void>;
  /** Resolves when no event is being handled any more. */
  stop(): Promise<void>;
}

/** What a {@link SessionEventSource} delivers, and to whom. */
export interface SessionEventSubscription {
  /** Whether one replica handles each event, or every replica. */
  readonly delivery: 'once' | 'broadcast';
  /** Only of `'once'`: whether handled events are deleted, because no other source reads them. */
  readonly deletesHandled?: boolean;
  /** Called with each event. A rejection counts as not handled. */
  readonly handler: SessionEventHandler;
  /** Only of `'broadcast'`: whether a replica that restarts goes on where it was. @defaultValue true */
  readonly isResumed?: boolean;
  /** Name of this replica, unlike that of any other one that runs. */
  readonly replicaName: string;
}

/** A repository that records what happens to its sessions, and finds the expired ones. */
export interface SessionEventRecorder {
  /** Brings the recorded events to the handler of `subscription`. */
  createEventSource(subscription: SessionEventSubscription): SessionEventSource;
  /** Starts the worker that finds expired sessions. */
  startExpiring(): Promise<void>;
  /** Resolves when the worker has stopped. */
  stopExpiring(): Promise<void>;
}

/** Whether `repository` records events. */
export function recordsEvents<R extends object>(
  repository: R,
): repository is R & SessionEventRecorder {
  return 'createEventSource' in repository;
}

/** Much longer than a handler should take. */
const HANDLER_TIMEOUT_MS = 60_000;

/** What handles events. */
export interface EventHandling {
  readonly handler: SessionEventHandler;
  /** Ms after which a handler that has not finished counts as failed. @defaultValue a minute */
  readonly handlerTimeoutMs?: number;
}

/**
 * Has the handler handle `event`, and waits for it only so long: a handler that hangs does not hold up other events.
 *
 * @returns why it has failed, for the log, or undefined; never what is in an error's message
 */
export async function handleEvent(
  event: SessionEvent,
  { handler, handlerTimeoutMs = HANDLER_TIMEOUT_MS }: EventHandling,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not done within ${handlerTimeoutMs} ms`), handlerTimeoutMs);
  });
  try {
    return await Promise.race([tooLate, Promise.resolve(handler(event)).then(() => undefined)]);
  } catch (error) {
    return error instanceof Error ? readable(error.name) : 'unknown reason';
  } finally {
    clearTimeout(timer);
  }
}

/** Does work for many sessions at the same time, and that of one session in order, one after the other. */
export class SessionLanes {
  private readonly last = new Map<string, Promise<void>>();
  private readonly waiting: (() => void)[] = [];
  private free: number;

  /** @param maxAtOnce - how much is under way at most */
  constructor(maxAtOnce: number) {
    this.free = maxAtOnce;
  }

  /**
   * Resolves when `work` is done, which must not reject.
   *
   * @param sessionId - its beginning, which stays when the id changes, names the session
   */
  async add(sessionId: string, work: () => Promise<void>): Promise<void> {
    const lane = sessionId.slice(0, STABLE_PREFIX_LENGTH);
    const done = this.after(this.last.get(lane), work);
    this.last.set(lane, done);
    await done;
    if (this.last.get(lane) === done) this.last.delete(lane);
  }

  private async after(earlier: Promise<void> | undefined, work: () => Promise<void>) {
    await earlier;
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    await work();
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}

/** Ms for which a session's client is told why somebody else has ended the session. */
export const REASON_LIFE_MS = 3_600_000;

/** Why the sessions end that are too many. */
export const MAXIMUM_SESSIONS_REASON = 'maximum-sessions';

/** Why sessions end. */
export interface SessionEnd {
  readonly type: 'deleted' | 'expired';
  /** For its client; '' = none. */
  readonly reason: string;
}
