import { ATTRIBUTE_PREFIX } from '../redis/sessions/redis-session.mapper.js';
import { isClosed, isSingleServer, type RedisClient } from '../redis/client/redis-client.js';
import { type MapSession, viewOf } from '../session/map-session.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../session/session-change.js';
import {
  type SessionEventRecorder,
  type SessionEventSource,
  type SessionEventSubscription,
  MAXIMUM_SESSIONS_REASON,
} from '../session/session-event.js';
import { digestOf } from '../session/session-id.js';
import {
  type IndexedSessionRepository,
  type SessionPage,
  type SessionPageRequest,
  resolvePage,
} from '../session/session-repository.js';
import { UnansweredSessions } from '../session/indexed/unanswered-sessions.js';
import { type SessionIndexOptions } from '../session/session-store.js';
import { SessionOptionError } from '../session/session.errors.js';
import { EXPIRED_ATTRIBUTE } from './spring-attributes.js';
import { SpringSessionEvents } from './spring-session-events.js';
import { springMemberId } from './spring-session.keys.js';
import { ENDED_FIELD, type SaveSpringInput } from './spring-session.commands.js';
import {
  type SpringRepositoryOptions,
  SpringSessionRepository,
} from './spring-session-repository.js';
import { SpringUsers } from './spring-users.js';

/** What a {@link SpringIndexedSessionRepository} is told. */
export interface SpringIndexedOptions extends SpringRepositoryOptions {
  readonly indexed: SessionIndexOptions & {
    readonly cleanupCron: string | false;
    readonly configuresNotifications: boolean;
  };
}

/**
 * Keeps sessions in the keys of Spring Session's indexed repository: users, limits and events of both sides are one.
 *
 * ```
 * spring:session:sessions:33fdd1b6-…                  as in the default repository, but it lives 300 s longer
 * spring:session:sessions:expires:33fdd1b6-…          string ''   expires with the session: Redis reports its end
 * spring:session:expirations:1404361860000            set         "expires:33fdd1b6-…"
 * spring:session:index:org.springframework.….PRINCIPAL_NAME_INDEX_NAME:alice      set         "33fdd1b6-…"
 * ```
 *
 * Mirrors `RedisIndexedSessionRepository` of Spring Session.
 */
export class SpringIndexedSessionRepository
  extends SpringSessionRepository
  implements IndexedSessionRepository, SessionEventRecorder
{
  private readonly users: SpringUsers;
  private readonly events: SpringSessionEvents;
  private readonly database: number;
  private readonly unanswered: UnansweredSessions;

  constructor(
    client: RedisClient,
    private readonly resolved: SpringIndexedOptions,
  ) {
    super(client, { ...resolved, maxEvents: resolved.indexed.maxEvents }, true);
    this.database = isSingleServer(client) ? (client.options.db ?? 0) : 0;
    const { codec, clock, commandTimeoutMs, indexed, logger, namespace } = resolved;
    this.users = new SpringUsers(codec);
    this.unanswered = new UnansweredSessions({
      commandTimeoutMs,
      end: (id) => this.deleteById(id),
      isOver: () => isClosed(client),
    });
    this.events = new SpringSessionEvents({
      ...{ client, clock, codec, commandTimeoutMs, logger, namespace, ...indexed },
      commands: this.commands,
      database: this.database,
      keys: this.keys,
      users: this.users,
    });
  }

  async findByPrincipalName(
    name: string,
    page?: SessionPageRequest,
  ): Promise<SessionPage<MapSession>> {
    const { offset, limit } = resolvePage(page);
    const sessions = await this.watch('find', () => this.findAll(name));
    sessions.sort((one, other) => Number(other.lastAccessedTime) - Number(one.lastAccessedTime));
    return { sessions: sessions.slice(offset, offset + limit), total: sessions.length };
  }

  /** @throws SessionOptionError unless `name` is `principal`: Spring's servlet repository has no other index */
  findByIndex(
    name: string,
    value: string,
    page?: SessionPageRequest,
  ): Promise<SessionPage<MapSession>> {
    if (name === 'principal') return this.findByPrincipalName(value, page);
    throw new SessionOptionError(
      'The index must be "principal" with springSession(): Spring keeps no other one.',
    );
  }

  endById(id: string, reason: string): Promise<void> {
    return this.watch('delete', () => this.end(id, reason));
  }

  endByPrincipalName(name: string, reason: string, exceptId = ''): Promise<number> {
    return this.watch('delete', async () => {
      const sessions = await this.findAll(name);
      const targets = sessions.filter(({ id }) => digestOf(id) !== digestOf(exceptId));
      await Promise.all(targets.map(({ id }) => this.commands.end(id, this.indexOf(name), reason)));
      return targets.length;
    });
  }

  async endOthersOf(session: MapSession, reason: string): Promise<number> {
    const name = this.users.userOf(session);
    return name === undefined ? 0 : this.endByPrincipalName(name, reason, session.id);
  }

  /** Also ends a session whose place a newer login at Spring has taken: Spring only marks it. */
  takeEndReason(id: string): Promise<string | undefined> {
    return this.watch('delete', async () => {
      const { client, keys } = this.commands;
      const ask = <T>(reply: Promise<T>) => this.commands.inTime('read why a session ended', reply);
      const reason = await this.commands.takeReason(id);
      if (reason !== null) return reason;
      const mark = [keys.session(id), `${ATTRIBUTE_PREFIX}${EXPIRED_ATTRIBUTE}`] as const;
      const [isMarked, ended] = await ask(client.hmget(...mark, ENDED_FIELD));
      if (isMarked !== 'true' || ended === JSON.stringify(id)) return undefined;
      await this.end(id, '');
      const taken = await ask(client.hdel(...mark));
      return taken === 1 ? MAXIMUM_SESSIONS_REASON : undefined;
    });
  }

  createEventSource(subscription: SessionEventSubscription): SessionEventSource {
    return this.events.createSource(subscription);
  }

  startExpiring(): Promise<void> {
    return this.events.start();
  }

  stopExpiring(): Promise<void> {
    return this.events.stop();
  }

  protected override noteOpened(session: MapSession, stored: StoredSession): void {
    this.users.remember(session, stored.attributes);
  }

  protected override async write(
    change: SessionChange,
    session?: MapSession,
  ): Promise<SaveOutcome> {
    const input = this.inputOf(change, session);
    const save = () => this.commands.save(input);
    const outcome = await (session ? this.unanswered.watch(session, save) : save());
    if (outcome.kind !== 'saved') return outcome;
    if (session) this.users.rememberSaved(session);
    const { surplus } = outcome;
    await Promise.all([
      ...surplus.map((id) => this.commands.replace(id, input.index, MAXIMUM_SESSIONS_REASON)),
      ...(change.isNew || change.id === change.storedId
        ? []
        : [this.events.recordIdChange(change.storedId, change.id)]),
    ]);
    return outcome;
  }

  protected override async delete(id: string): Promise<void> {
    await this.end(id, '');
  }

  protected override inputOf(change: SessionChange, session?: MapSession): SaveSpringInput {
    const { maximumSessions, maximumSessionsPolicy } = this.resolved.indexed;
    const earlier = session && this.users.storedUserOf(session);
    const user = session && this.users.userOf(session);
    const isLogin = session !== undefined && user !== undefined && user !== earlier;
    const limit =
      typeof maximumSessions === 'number' || !isLogin
        ? (maximumSessions as number)
        : maximumSessions(viewOf(session));
    const input = super.inputOf(change);
    return {
      ...input,
      earlierIndex: this.indexOf(earlier),
      index: this.indexOf(user),
      limit: isLogin && limit >= 0 ? limit : undefined,
      isRefusing: maximumSessionsPolicy === 'reject-login',
      channel: change.isNew ? this.keys.created(this.database, change.id) : '',
    };
  }

  private async end(id: string, reason: string): Promise<void> {
    const fields = await this.commands.read(id);
    await this.commands.end(id, this.indexOf(this.users.userOfFields(fields)), reason);
  }

  /** The living sessions of a user. Entries of sessions that are gone leave the index. */
  private async findAll(name: string): Promise<MapSession[]> {
    const { client, keys } = this.commands;
    const key = keys.index(name);
    const members = await this.commands.inTime('read an index', client.smembers(key));
    const found = await Promise.all(
      members.map(async (member) => {
        const session = await this.findById(springMemberId(member));
        if (session) return this.users.userOf(session) === name ? session : [];
        await this.removeIfGone(key, member);
        return [];
      }),
    );
    return found.flat();
  }

  /** A hash stays for a while for Spring's listeners, which take the entry out themselves. */
  private async removeIfGone(key: string, member: string): Promise<void> {
    const { client, keys } = this.commands;
    const exists = client.exists(keys.session(springMemberId(member)));
    if ((await this.commands.inTime('read a session', exists)) > 0) return;
    await this.commands.inTime('leave an index', client.srem(key, member));
  }

  private indexOf(user: string | undefined): string {
    return user === undefined ? '' : this.keys.index(user);
  }
}
