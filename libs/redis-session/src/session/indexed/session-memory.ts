import { LruMap } from '../../lib/lru-map.js';
import { type StoredSession, expiryTimeMs } from '../session-change.js';
import { MemoryEvents } from './memory-events.js';
import { type IndexValues } from './session-indexing.js';

/** A session, and the values under which it is found. */
interface IndexedSession extends StoredSession {
  readonly indexValues: IndexValues;
}

/** Sessions in memory by id, and what is known of those that have ended. Repositories of one process may share it. */
export class SessionMemory {
  readonly sessions = new Map<string, StoredSession>();
  /** Why somebody else has ended a session, by its id. */
  readonly reasons = new LruMap<string>(10_000);
  readonly events = new MemoryEvents();

  /** Sessions with one of the values in the index `name`. */
  findBy(name: string, values: readonly string[]): [string, StoredSession][] {
    return [...this.sessions].filter(([, stored]) => {
      const value = indexValuesOf(stored).get(name);
      return value !== undefined && values.includes(value);
    });
  }

  /** @param changed - undefined = the session leaves the index */
  changeIndexes(
    id: string,
    before: IndexValues,
    changed: ReadonlyMap<string, string | undefined>,
  ): void {
    const stored = this.sessions.get(id);
    if (!stored) return;
    const values = new Map([...before, ...changed]);
    for (const [name, value] of values) if (value === undefined) values.delete(name);
    const session: IndexedSession = { ...stored, indexValues: values as IndexValues };
    this.sessions.set(id, session);
  }
}

/** The values under which a session is found. */
export function indexValuesOf(stored: StoredSession | undefined): IndexValues {
  return stored && 'indexValues' in stored ? (stored as IndexedSession).indexValues : new Map();
}

/** Compares two sessions so that those that live longest come first. */
export function byEnd(absoluteTimeoutSeconds?: number) {
  const endOf = (session: StoredSession) => expiryTimeMs(session, absoluteTimeoutSeconds);
  return (one: StoredSession, other: StoredSession): number => {
    const [end, otherEnd] = [endOf(one), endOf(other)];
    return end === otherEnd ? other.creationTime - one.creationTime : otherEnd - end;
  };
}

/** Compares two sessions so that those that were used last come first. */
export function byAccess(one: StoredSession, other: StoredSession): number {
  return other.lastAccessedTime - one.lastAccessedTime || other.creationTime - one.creationTime;
}
