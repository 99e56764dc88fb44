import { type StoredSession } from '../../session/session-change.js';

/** A read that is under way. What it brings is kept unless its key has changed meanwhile. */
export type PendingRead = object;

/** Sessions of this process by their keys in Redis; of more than `maxSessions`, the one is dropped that was used least lately. */
export class NearCache {
  private readonly sessions = new Map<string, StoredSession>();
  private readonly reads = new Map<string, PendingRead>();

  constructor(private readonly maxSessions: number) {}

  /** Counts as a use. */
  get(key: string): StoredSession | undefined {
    const session = this.sessions.get(key);
    if (session) this.set(key, session);
    return session;
  }

  /** Replaces a session that is kept. */
  set(key: string, session: StoredSession): void {
    this.sessions.delete(key);
    this.sessions.set(key, session);
    if (this.sessions.size <= this.maxSessions) return;
    for (const [leastLately] of this.sessions) {
      this.sessions.delete(leastLately);
      break;
    }
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
