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

/** Records one access. @param accessTimeMs - epoch ms */
type RecordAccess = (id: string, accessTimeMs: number) => Promise<void>;

/** Accesses that are still to be recorded: the last one of each session. */
export class TouchQueue {
  private accesses = new Map<string, number>();

  constructor(private readonly recordAccess: RecordAccess) {}

  /** How many sessions are waiting. */
  get size(): number {
    return this.accesses.size;
  }

  /** @param accessTimeMs - epoch ms, not before an access that is waiting */
  add(id: string, accessTimeMs: number): void {
    this.accesses.set(id, accessTimeMs);
  }

  remove(id: string): void {
    this.accesses.delete(id);
  }

  /** Records them in one batch. What fails waits for the next one, unless there was a later access. */
  async flush(): Promise<void> {
    const batch = this.accesses;
    this.accesses = new Map();
    const record = async ([id, accessTimeMs]: [string, number]): Promise<void> => {
      try {
        await this.recordAccess(id, accessTimeMs);
      } catch {
        if (!this.accesses.has(id)) this.accesses.set(id, accessTimeMs);
      }
    };
    await Promise.all([...batch].map(record));
  }
}
