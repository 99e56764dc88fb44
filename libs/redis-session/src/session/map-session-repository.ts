import { type SessionRepositoryOptions, DEFAULT_REPOSITORY_OPTIONS } from './repository-options.js';
import {
  conflictOf,
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from './session-change.js';
import { type SessionTimes, expiryTimeMs } from './session-times.js';
import { type SessionEnd } from './session-event.js';
import { type MapSession } from './map-session.js';
import { StoredSessionRepository } from './stored-session-repository.js';

/** What a save makes of a session, for stores that keep each session as a whole. */
export interface AppliedChange {
  /** What the save answers. */
  readonly outcome: SaveOutcome;
  /** What is to be stored; undefined = nothing. */
  readonly session: StoredSession | undefined;
}

/**
 * Computes what a save makes of a session. Writes nothing.
 *
 * @param stored - undefined = there is none
 */
export function applyChange(
  stored: StoredSession | undefined,
  change: SessionChange,
): AppliedChange {
  const { isNew, creationTime, lastAccessedTime, maxInactiveInterval = -1 } = change;
  const attributes = new Map<string, string>();
  const before = isNew
    ? { creationTime, lastAccessedTime, maxInactiveInterval, attributes }
    : stored;
  if (!before) return { outcome: { kind: 'missing' }, session: undefined };
  const conflict = isNew ? undefined : conflictOf(change, (name) => before.attributes.get(name));
  if (conflict) return { outcome: conflict, session: undefined };
  return { outcome: { kind: 'saved' }, session: withChange(before, change) };
}

/**
 * Records an access if one is due.
 *
 * @param accessTimeMs - epoch; undefined = this is no access
 * @returns `stored` itself when nothing is to be recorded
 */
export function recordAccess(
  stored: StoredSession,
  accessTimeMs: number | undefined,
  { touchIntervalSeconds = 0 }: Pick<SessionRepositoryOptions, 'touchIntervalSeconds'>,
): StoredSession {
  if (accessTimeMs === undefined || accessTimeMs <= stored.lastAccessedTime) return stored;
  const isDue = accessTimeMs - stored.lastAccessedTime >= touchIntervalSeconds * 1000;
  return isDue ? { ...stored, lastAccessedTime: accessTimeMs } : stored;
}

/** Whether a session is over: nothing may find it any more, and it should be deleted. */
export function hasEnded(
  stored: SessionTimes,
  { absoluteTimeoutSeconds, clock }: SessionRepositoryOptions,
): boolean {
  return clock() >= expiryTimeMs(stored, absoluteTimeoutSeconds);
}

function withChange(stored: StoredSession, change: SessionChange): StoredSession {
  const attributes = new Map(stored.attributes);
  for (const [name, { text }] of change.attributes) {
    if (text === undefined) attributes.delete(name);
    else attributes.set(name, text);
  }
  return {
    creationTime: stored.creationTime,
    lastAccessedTime: Math.max(stored.lastAccessedTime, change.lastAccessedTime),
    maxInactiveInterval: change.maxInactiveInterval ?? stored.maxInactiveInterval,
    attributes,
  };
}

/** A session as one text, for stores that hold no structure. */
export function sessionToText({ attributes, ...times }: StoredSession): string {
  return JSON.stringify({ ...times, attributes: [...attributes] });
}

/** Reads what `sessionToText` has written. @param text - of {@link sessionToText} */
export function sessionFromText(text: string): StoredSession {
  const { attributes, ...times } = JSON.parse(text) as SessionTimes & {
    attributes: [string, string][];
  };
  return { ...times, attributes: new Map(attributes) };
}

/**
 * Keeps sessions in the memory of this process: for development and tests. They are lost when it ends, and other
 * replicas do not see them. Expired ones are dropped when they are looked up.
 *
 * Same behaviour as the Redis repository otherwise. Mirrors `MapSessionRepository` of Spring Session.
 */
export class MapSessionRepository extends StoredSessionRepository {
  /** @param sessions - repositories that share it know the same sessions */
  constructor(
    options: Partial<SessionRepositoryOptions> = {},
    protected readonly sessions = new Map<string, StoredSession>(),
  ) {
    super({ ...DEFAULT_REPOSITORY_OPTIONS, ...options });
  }

  protected override load(id: string, accessTimeMs?: number): Promise<StoredSession | undefined> {
    const stored = this.findLive(id);
    if (!stored) return Promise.resolve(undefined);
    const touched = recordAccess(stored, accessTimeMs, this.options);
    this.sessions.set(id, touched);
    return Promise.resolve(touched);
  }

  protected override write(change: SessionChange, _session?: MapSession): Promise<SaveOutcome> {
    return Promise.resolve(this.writeNow(change));
  }

  /** Writes all of `change` or nothing, without a pause in which something else could happen. */
  protected writeNow(change: SessionChange): SaveOutcome {
    const { outcome, session } = applyChange(this.findLive(change.storedId), change);
    if (session) {
      this.sessions.delete(change.storedId);
      this.sessions.set(change.id, session);
    }
    return outcome;
  }

  protected override delete(id: string): Promise<void> {
    this.end(id, { type: 'deleted', reason: '' });
    return Promise.resolve();
  }

  /** Forgets the session. */
  protected end(id: string, _end: SessionEnd): void {
    this.sessions.delete(id);
  }

  /** Finds a session, and ends it when its time is over. */
  protected findLive(id: string): StoredSession | undefined {
    const stored = this.sessions.get(id);
    if (!stored || !hasEnded(stored, this.options)) return stored;
    this.end(id, { type: 'expired', reason: '' });
    return undefined;
  }
}
