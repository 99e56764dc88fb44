import { LruMap } from '../../lib/lru-map.js';
import { type StoredSession } from '../../session/session-change.js';

/** A read that is under way. What it brings is kept unless its key has changed meanwhile. */
export type PendingRead = object;

/** Keeps sessions of this process by their keys in Redis. The least recently used ones of more than `maxSessions` are evicted. */
export class NearCache {
  private readonly sessions: LruMap<StoredSession>;
  private readonly reads = new Map<string, PendingRead>();

  constructor(maxSessions: number) {
    this.sessions = new LruMap(maxSessions);
  }

  /** Counts as a use. */
  get(key: string): StoredSession | undefined {
    return this.sessions.get(key);
  }

  /** Replaces a session that is kept. */
  set(key: string, session: StoredSession): void {
    this.sessions.set(key, session);
  }

  /** To be called before the read is sent; of several of one key, the last one counts. */
  beginRead(key: string): PendingRead {
    const read = {};
    this.reads.set(key, read);
    return read;
  }

  /** Does nothing if the key may have changed since the read began. */
  keep(key: string, read: PendingRead, session: StoredSession): void {
    if (this.reads.get(key) !== read) return;
    this.reads.delete(key);
    this.set(key, session);
  }

  /** Forgets what is kept, and what is being read. */
  drop(key: string): void {
    this.sessions.delete(key);
    this.reads.delete(key);
  }

  /** Like {@link drop}, of every key. */
  clear(): void {
    this.sessions.clear();
    this.reads.clear();
  }
}
