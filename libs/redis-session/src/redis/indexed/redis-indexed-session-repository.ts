import { type MapSession, viewOf } from '../../session/map-session.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../../session/session-change.js';
import {
  type SessionEventRecorder,
  type SessionEventSource,
  type SessionEventSubscription,
} from '../../session/session-event.js';
import {
  type IndexedSessionRepository,
  type SessionPage,
  type SessionPageRequest,
  resolvePage,
} from '../../session/session-repository.js';
import { BroadcastEventSource } from '../events/broadcast-event-source.js';
import { OnceEventSource } from '../events/once-event-source.js';
import { StoredSessionRepository } from '../../session/stored-session-repository.js';
import { entriesOf, fromMember } from './session-index.js';
import { type IndexedSession, IndexedSessionReader } from './indexed-session-reader.js';
import { PRINCIPAL_INDEX } from '../../session/indexed/session-indexing.js';
import { IndexedSessionWriter } from './indexed-session-writer.js';
import { createIndexedStore, type IndexedStore } from './indexed-store.js';
import {
  type RedisIndexedSessionRepositoryOptions,
  resolveIndexedOptions,
} from './redis-indexed-session-repository.options.js';
import { isClosed, type RedisClient } from '../client/redis-client.js';
import { type SessionIndexing } from './session-indexing.js';
import { digestOf } from '../../session/session-id.js';
import { UnansweredSessions } from '../../session/indexed/unanswered-sessions.js';

/**
 * Keeps sessions in Redis so that they can be found by their user or by any other value, end on time though nobody looks,
 * and tell what happens to them. Costs one command to read, one more to change; a login and a logout take one more for
 * each index.
 *
 * ```
 * findById    EVALSHA loadIndexed 1 nest:session:{7}:sessions:4fQz81Lwr0Y…
 *             HGETALL nest:session:{7}:sessions:4fQz81Lwr0Y…      while no record of the access is due and the
 *                                                                 session is not a large one that is known
 * login       EVALSHA addToIndex 1 nest:session:index:principal:{2bd806c9}alice
 *             EVALSHA saveIndexed 6 <stored key> <current key> <mark> nest:session:{7}:sessions:expirations nest:session:{7}:events …
 *             EVALSHA createIndexed 4 …                            of a new session
 * deleteById  EVALSHA deleteIndexed 3 nest:session:{7}:sessions:4fQz81Lwr0Y… …
 *             EVALSHA endSession 4 …                               with events
 *             ZREM nest:session:index:principal:{2bd806c9}alice 4fQz81Lwr0Y…:Xy3_9k
 * ```
 *
 * A session is entered in an index before its hash says so, and leaves it after: an entry may be stale, but none is
 * missing. Mirrors `RedisIndexedSessionRepository` of Spring Session.
 */
export class RedisIndexedSessionRepository
  extends StoredSessionRepository
  implements IndexedSessionRepository, SessionEventRecorder
{
  /** The parts that work on the same keys: events, expiration, the registry. @internal */
  readonly store: IndexedStore;
  private readonly indexing: SessionIndexing;
  private readonly reader: IndexedSessionReader;
  private readonly writer: IndexedSessionWriter;
  private readonly unanswered: UnansweredSessions;

  private readonly resolved: RedisIndexedSessionRepositoryOptions;

  constructor(client: RedisClient, options: Partial<RedisIndexedSessionRepositoryOptions> = {}) {
    const resolved = resolveIndexedOptions(options);
    super(resolved);
    this.resolved = resolved;
    this.store = createIndexedStore(client, resolved, this.atRest);
    this.indexing = this.store.indexing;
    this.reader = new IndexedSessionReader(this.store, resolved);
    this.writer = new IndexedSessionWriter(this.store, resolved, {
      end: (id, reason) => this.endById(id, reason),
      findMember: (name, value, member) => this.findMember(name, value, member),
    });
    this.unanswered = new UnansweredSessions({
      commandTimeoutMs: resolved.commandTimeoutMs,
      end: (id) => this.deleteById(id),
      isOver: () => isClosed(client),
    });
  }

  /** The living sessions of one user, at most two round trips. */
  findByPrincipalName(name: string, page?: SessionPageRequest): Promise<SessionPage<MapSession>> {
    return this.findByIndex(PRINCIPAL_INDEX, name, page);
  }

  /**
   * The living sessions with `value` in the index `name`, those that live longest first, at most two round trips.
   *
   * A page may hold fewer than `limit` although more follow: entries whose session has ended are left out.
   *
   * @throws SessionOptionError for a limit or offset that counts nothing
   */
  async findByIndex(
    name: string,
    value: string,
    request?: SessionPageRequest,
  ): Promise<SessionPage<MapSession>> {
    const page = resolvePage(request);
    return this.watch('find', () => this.findPage(name, value, page));
  }

  /**
   * Ends a session that is not the caller's own.
   *
   * @param reason - told once to its client, and to the handlers of the event
   */
  endById(id: string, reason: string): Promise<void> {
    return this.watch('delete', async () => {
      for (const storedId of this.atRest.idsToDelete(id)) await this.end(storedId, reason);
    });
  }

  /**
   * Ends all sessions of one user.
   *
   * @param reason - told once to each client, and to the handlers of the events
   * @param exceptId - this one stays
   * @returns how many it has ended
   */
  endByPrincipalName(name: string, reason: string, exceptId?: string): Promise<number> {
    return this.watch('delete', async () => {
      let count = 0;
      for (const indexed of this.atRest.indexValuesOf(PRINCIPAL_INDEX, name))
        count += await this.endByIndexed(indexed, reason, exceptId);
      return count;
    });
  }

  /**
   * Ends all sessions of the user of `session`, as it was when it was last read or saved, but `session`.
   *
   * @param reason - told once to each client, and to the handlers of the events
   * @returns how many it has ended; 0 when `session` is of no user
   */
  async endOthersOf(session: MapSession, reason: string): Promise<number> {
    const user = this.indexing.entriesOf(session).get(PRINCIPAL_INDEX);
    if (!user) return 0;
    const name = this.resolved.principalName(viewOf(session)) ?? '';
    return this.atRest.indexValuesOf(PRINCIPAL_INDEX, name).includes(user.value)
      ? this.endByPrincipalName(name, reason, session.id)
      : this.watch('delete', () => this.endByIndexed(user.value, reason, session.id));
  }

  createEventSource({ delivery, ...subscription }: SessionEventSubscription): SessionEventSource {
    const { client, keys } = this.store;
    const { atRest, resolved } = this;
    const input = { ...resolved, ...subscription, atRest, client, keys };
    return delivery === 'once' ? new OnceEventSource(input) : new BroadcastEventSource(input);
  }

  startExpiring(): Promise<void> {
    return this.store.expiration.start();
  }

  stopExpiring(): Promise<void> {
    return this.store.expiration.stop();
  }

  /** Why somebody else has ended the session `id`; asking takes the answer away. One command. */
  takeEndReason(id: string): Promise<string | undefined> {
    return this.watch('delete', async () => {
      let reason: string | undefined;
      for (const storedId of this.atRest.idsToDelete(id))
        reason ??= await this.store.takeEndReason(storedId);
      return reason;
    });
  }

  protected override load(id: string, accessTimeMs?: number): Promise<StoredSession | undefined> {
    return this.reader.load(id, accessTimeMs);
  }

  protected override noteOpened(session: MapSession, stored: StoredSession): void {
    this.indexing.remember(session, (stored as Partial<IndexedSession>).entries ?? new Map());
  }

  protected override write(change: SessionChange, session: MapSession): Promise<SaveOutcome> {
    return this.unanswered.watch(session, () => this.writer.write(change, session));
  }

  protected override async delete(id: string): Promise<void> {
    await this.end(id, '');
  }

  private async findPage(
    name: string,
    value: string,
    { offset, limit }: Required<SessionPageRequest>,
  ): Promise<SessionPage<MapSession>> {
    const sessions: MapSession[] = [];
    let total = 0;
    for (const indexed of this.atRest.indexValuesOf(name, value)) {
      const part = { offset: Math.max(0, offset - total), limit };
      const page = await this.store.index.page(name, indexed, part);
      const members = page.members.slice(0, limit - sessions.length);
      const found = await this.findMembers(name, indexed, members);
      sessions.push(...found);
      total += page.total - (members.length - found.length);
    }
    return { sessions, total };
  }

  /** @param indexed - what stands for the user in the index */
  private async endByIndexed(indexed: string, reason: string, exceptId = ''): Promise<number> {
    let count = 0;
    for (;;) {
      const members = await this.store.index.all(PRINCIPAL_INDEX, indexed);
      const sessions = await this.findMembers(PRINCIPAL_INDEX, indexed, members);
      const targets = sessions.filter(({ id }) => digestOf(id) !== digestOf(exceptId));
      if (targets.length === 0) return count;
      await Promise.all(targets.map(({ id }) => this.endById(id, reason)));
      count += targets.length;
    }
  }

  private async end(id: string, reason: string): Promise<void> {
    const nowMs = this.options.clock();
    const outcome = await this.store.commands.end({ id, kind: 'deleted', nowMs, reason });
    if (outcome.kind !== 'ended') return;
    await Promise.all([
      this.indexing.remove(id, [...entriesOf(outcome.fields).values()]),
      this.store.expiration.afterDelete(id, outcome.fields),
    ]);
  }

  private async findMembers(
    name: string,
    indexed: string,
    members: readonly string[],
  ): Promise<MapSession[]> {
    const found = await Promise.all(
      members.map((member) => this.findMember(name, indexed, member)),
    );
    return found.filter((session) => session !== undefined);
  }

  private async findMember(
    name: string,
    value: string,
    member: string,
  ): Promise<MapSession | undefined> {
    const { sessionId, mark } = fromMember(member);
    const session = await this.findById(sessionId);
    const entry = session && this.indexing.entriesOf(session).get(name);
    return entry?.value === value && entry.mark === mark ? session : undefined;
  }
}
