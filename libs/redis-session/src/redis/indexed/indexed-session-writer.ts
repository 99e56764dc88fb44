import { type MapSession, viewOf } from '../../session/map-session.js';
import { type SaveOutcome, type SessionChange } from '../../session/session-change.js';
import { expiryTimeMs } from '../../session/session-times.js';
import { MAXIMUM_SESSIONS_REASON } from '../../session/session-event.js';
import { afterSave, SessionCorruptError, SessionLimitError } from '../../session/session.errors.js';
import { isClosed } from '../client/redis-client.js';
import { fromMember, type IndexEntry, memberOf } from './session-index.js';
import { type SaveIndexedOutcome } from './indexed-session.commands.js';
import { type IndexedStore } from './indexed-store.js';
import { type RedisIndexedSessionRepositoryOptions } from './redis-indexed-session-repository.options.js';
import { setsLargeTexts, toHash } from '../sessions/redis-session.mapper.js';
import { type IndexChange } from './session-indexing.js';
import { SessionLimit, UnusedEntries } from './session-limit.js';

interface IndexedSessionWriterInput {
  readonly end: (id: string, reason: string) => Promise<void>;
  /** @returns undefined unless the session lives and is in this index under this member */
  readonly findMember: (
    name: string,
    value: string,
    member: string,
  ) => Promise<MapSession | undefined>;
}

/** Writes sessions of the indexed repository, and ends those that are too many. */
export class IndexedSessionWriter {
  private readonly limit: SessionLimit;
  private readonly unused: UnusedEntries;

  constructor(
    private readonly store: IndexedStore,
    private readonly options: RedisIndexedSessionRepositoryOptions,
    private readonly input: IndexedSessionWriterInput,
  ) {
    const { commandTimeoutMs, maximumSessionsPolicy } = options;
    this.unused = new UnusedEntries({
      index: store.index,
      isOver: () => isClosed(store.client),
      isUsed: async (entry, member) => (await this.findLastAccess(entry, member)) !== undefined,
      pauseMs: commandTimeoutMs,
    });
    this.limit = new SessionLimit({
      client: store.client,
      commandTimeoutMs,
      findLastAccess: (entry, member) => this.findLastAccess(entry, member),
      keys: store.keys,
      onDead: (entry, member) =>
        this.unused.removeAt(Date.now() + this.limit.loginLifeMs, entry, member),
      policy: maximumSessionsPolicy,
    });
  }

  /** @throws SessionLimitError, SessionStoreError */
  async write(change: SessionChange, session: MapSession): Promise<SaveOutcome> {
    const { accesses, indexing, expiration } = this.store;
    for (;;) {
      const indexChange = indexing.changeOf(change, session);
      const { surplus, outcome } = await this.attempt(change, session, indexChange);
      if (outcome.kind === 'saved') {
        indexing.rememberSaved(session, indexChange);
        if (!setsLargeTexts(toHash(change)))
          accesses.rememberSaved(change, session.maxInactiveIntervalSeconds);
        await Promise.all([
          indexing.removeEarlier(change.storedId, indexChange, outcome.earlier),
          expiration.afterSave(change),
          ...(surplus ? [this.confirm(change.id, indexChange.admitted)] : []),
          ...(surplus ?? []).map((member) => this.endSurplus(member, indexChange.admitted)),
        ]).catch((error: unknown) => {
          throw afterSave(error);
        });
        return outcome;
      }
      await indexing.remove(change.id, indexChange.added);
      if (outcome.kind !== 'index-conflict') return outcome;
      indexing.rebase(session, indexChange, outcome.earlier);
    }
  }

  /** First the indexes, then the session. */
  private async attempt(
    change: SessionChange,
    session: MapSession,
    indexChange: IndexChange,
  ): Promise<{ surplus: readonly string[] | undefined; outcome: SaveIndexedOutcome }> {
    const { accesses, commands, indexing } = this.store;
    const { storedId, id } = change;
    const expiryMs = this.expiryOf(change, session);
    let sentMs = Date.now();
    try {
      const surplus = await this.admit(change, session, indexChange.admitted, expiryMs);
      sentMs = Date.now();
      await indexing.add(id, indexChange, expiryMs);
      sentMs = Date.now();
      const hash = indexing.withFields(toHash(change), indexChange, expiryMs);
      const indexes = indexChange.expected;
      const isAccessRecorded = accesses.isSaved(storedId, change.lastAccessedTime);
      const outcome = await commands.save({ storedId, id, hash, indexes, isAccessRecorded });
      return { surplus, outcome };
    } catch (error) {
      const tooLateMs = sentMs + this.options.commandTimeoutMs;
      const left = error instanceof SessionLimitError ? [] : indexChange.added;
      for (const entry of left) this.unused.removeAt(tooLateMs, entry, memberOf(id, entry));
      throw error;
    }
  }

  /** @returns members of the index of the user whose sessions have to end; undefined = this is no login, or has no limit */
  private async admit(
    { id, storedId }: SessionChange,
    session: MapSession,
    entry: IndexEntry | undefined,
    expiryMs: number,
  ): Promise<readonly string[] | undefined> {
    if (!entry) return undefined;
    const { maximumSessions } = this.options;
    const limit =
      typeof maximumSessions === 'number' ? maximumSessions : maximumSessions(viewOf(session));
    if (limit >= 0) return this.limit.admit({ entry, expiryMs, id, storedId, limit });
    await this.store.index.add(id, entry, expiryMs);
    return undefined;
  }

  /** Without this the session would count as a login under way, for a few seconds: nothing to fail for. */
  private async confirm(id: string, entry: IndexEntry | undefined): Promise<void> {
    if (entry) await this.limit.confirm(id, entry).catch(() => undefined);
  }

  private async endSurplus(member: string, entry: IndexEntry | undefined): Promise<void> {
    const { sessionId, mark } = fromMember(member);
    await this.input.end(sessionId, MAXIMUM_SESSIONS_REASON);
    if (entry) await this.store.index.remove(sessionId, { ...entry, mark });
  }

  /** Epoch ms. A session that cannot be understood is none. */
  private async findLastAccess(
    { name, value }: IndexEntry,
    member: string,
  ): Promise<number | undefined> {
    try {
      const session = await this.input.findMember(name, value, member);
      return session?.lastAccessedTime.getTime();
    } catch (error) {
      if (error instanceof SessionCorruptError) return undefined;
      throw error;
    }
  }

  private expiryOf(change: SessionChange, session: MapSession): number {
    const maxInactiveInterval = change.maxInactiveInterval ?? session.maxInactiveIntervalSeconds;
    return expiryTimeMs({ ...change, maxInactiveInterval }, this.options.absoluteTimeoutSeconds);
  }
}
