import { type SaveOutcome, type SessionChange, type StoredSession } from './session-change.js';
import { expiryTimeMs } from './session-change.js';
import { DEFAULT_REPOSITORY_OPTIONS, type SessionRepositoryOptions } from './repository-options.js';
import { StoredSessionRepository } from './stored-session-repository.js';

/**
 * Keeps sessions in the memory of this process: for development and tests. They are lost when it ends, and other
 * replicas do not see them. Expired ones are dropped when they are looked up.
 *
 * Same behaviour as the Redis repository otherwise. Mirrors `MapSessionRepository` of Spring Session.
 */
export class MapSessionRepository extends StoredSessionRepository {
  private readonly sessions = new Map<string, StoredSession>();

  constructor(options: Partial<SessionRepositoryOptions> = {}) {
    super({ ...DEFAULT_REPOSITORY_OPTIONS, ...options });
  }

  protected override load(id: string, accessTimeMs?: number): Promise<StoredSession | undefined> {
    const stored = this.findLive(id);
    if (!stored || accessTimeMs === undefined) return Promise.resolve(stored);
    const isDue =
      accessTimeMs - stored.lastAccessedTime >= (this.options.touchIntervalSeconds ?? 0) * 1000;
    const lastAccessedTime = Math.max(stored.lastAccessedTime, accessTimeMs);
    const touched = isDue ? { ...stored, lastAccessedTime } : stored;
    this.sessions.set(id, touched);
    return Promise.resolve(touched);
  }

  protected override write(change: SessionChange): Promise<SaveOutcome> {
    const stored = change.isNew ? emptySession(change) : this.findLive(change.storedId);
    if (!stored) return Promise.resolve({ kind: 'missing' });
    const current = currentOfUpdates(stored, change);
    if (!change.isNew && hasConflict(current, change)) {
      return Promise.resolve({ kind: 'conflict', current });
    }
    this.sessions.delete(change.storedId);
    this.sessions.set(change.id, withChange(stored, change));
    return Promise.resolve({ kind: 'saved' });
  }

  protected override delete(id: string): Promise<void> {
    this.sessions.delete(id);
    return Promise.resolve();
  }

  private findLive(id: string): StoredSession | undefined {
    const stored = this.sessions.get(id);
    if (!stored) return undefined;
    const { absoluteTimeoutSeconds, clock } = this.options;
    if (clock() < expiryTimeMs(stored, absoluteTimeoutSeconds)) return stored;
    this.sessions.delete(id);
    return undefined;
  }
}

function emptySession(change: SessionChange): StoredSession {
  const { creationTime, lastAccessedTime, maxInactiveInterval = -1 } = change;
  return { creationTime, lastAccessedTime, maxInactiveInterval, attributes: new Map() };
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

function currentOfUpdates(
  stored: StoredSession,
  change: SessionChange,
): Map<string, string | undefined> {
  const updated = [...change.attributes].filter(([, { basedOn }]) => basedOn);
  return new Map(updated.map(([name]) => [name, stored.attributes.get(name)]));
}

function hasConflict(
  current: ReadonlyMap<string, string | undefined>,
  change: SessionChange,
): boolean {
  return [...current].some(([name, text]) => change.attributes.get(name)?.basedOn?.text !== text);
}
