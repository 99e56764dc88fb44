import { type StoredSession } from '../../session/session-change.js';
import { accessedAt, expiryTimeMs } from '../../session/session-times.js';
import {
  entriesOfHash,
  type IndexEntry,
  NEW_INDEX_EXPIRY_FIELD,
  OVER_FIELD,
} from './session-index.js';
import { mayEvict } from '../client/redis-server.js';
import { type IndexedStore } from './indexed-store.js';
import { type RedisIndexedSessionRepositoryOptions } from './redis-indexed-session-repository.options.js';
import { fromHash } from '../sessions/redis-session.mapper.js';

/** What is read of a session beside the session: its entries in the indexes. */
export interface IndexedSession extends StoredSession {
  readonly entries: ReadonlyMap<string, IndexEntry>;
}

/** Reads sessions of the indexed repository. */
export class IndexedSessionReader {
  constructor(
    private readonly store: IndexedStore,
    private readonly options: RedisIndexedSessionRepositoryOptions,
  ) {}

  /** @param accessTimeMs - epoch; undefined = this is no access. @returns undefined when there is none, or it has ended */
  async load(id: string, accessTimeMs?: number): Promise<IndexedSession | undefined> {
    if (accessTimeMs !== undefined && this.store.accesses.isRecorded(id, accessTimeMs)) {
      const isLarge = this.store.commands.isKnown(id);
      const session = isLarge ? undefined : await this.readRecorded(id, accessTimeMs);
      if (session) return session;
    }
    const session = await this.readAndRecord(id, accessTimeMs);
    if (session) this.store.accesses.remember(id, session);
    return session;
  }

  /** No record of the access is due. @returns undefined when the session may have ended */
  private async readRecorded(
    id: string,
    accessTimeMs: number,
  ): Promise<IndexedSession | undefined> {
    const hash = await this.store.commands.read(id);
    const stored = fromHash(hash);
    if (!stored || hash.get(OVER_FIELD) !== undefined) return undefined;
    if (this.options.clock() >= this.expiryOf(stored)) return undefined;
    return { ...accessedAt(stored, accessTimeMs), entries: entriesOfHash(hash) };
  }

  private async readAndRecord(
    id: string,
    accessTimeMs: number | undefined,
  ): Promise<IndexedSession | undefined> {
    const { commands, expiration, indexing } = this.store;
    const hash = await commands.load(id, this.options.clock(), accessTimeMs);
    const stored = fromHash(hash);
    if (!stored) return undefined;
    const entries = entriesOfHash(hash);
    const isIndexDue = hash.get(NEW_INDEX_EXPIRY_FIELD) === '1';
    // An index that was evicted comes back with the accesses to its sessions.
    if (isIndexDue || (accessTimeMs !== undefined && mayEvict(this.store.client)))
      void indexing.renew(id, entries.values(), this.expiryOf(stored)).catch(() => undefined);
    if (accessTimeMs !== undefined) await expiration.afterAccess(id);
    return { ...stored, entries };
  }

  private expiryOf(stored: StoredSession): number {
    return expiryTimeMs(stored, this.options.absoluteTimeoutSeconds);
  }
}
