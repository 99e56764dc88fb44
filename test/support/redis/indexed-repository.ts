import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { type RedisIndexedSessionRepositoryOptions } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.options.js';
import { type RedisClient } from '../../../libs/redis-session/src/redis/client/redis-client.js';
import { type MapSession } from '../../../libs/redis-session/src/session/map-session.js';

/** What the attribute holds after a login. */
export function contextOf(name: string): unknown {
  return { authentication: { name, principal: name, authorities: [], kind: 'full' } };
}

/** Signs `name` in as a login does, without saving. */
export function signIn(session: MapSession, name: string): void {
  if (!session.isNew) session.changeSessionId();
  session.setAttribute('SECURITY_CONTEXT', contextOf(name));
}

/** An indexed repository with a clock that the test moves, and short names for what most tests do. */
export class IndexedRepository {
  /** Epoch ms. Starts at the real time, because Redis compares with its own clock. */
  nowMs = Date.now();
  readonly warnings: string[] = [];
  readonly repository: RedisIndexedSessionRepository;

  constructor(
    readonly client: RedisClient,
    options: Partial<RedisIndexedSessionRepositoryOptions> & { namespace: string },
  ) {
    const warn = (message: string) => void this.warnings.push(message);
    this.repository = new RedisIndexedSessionRepository(client, {
      clock: () => this.nowMs,
      logger: { warn, error: warn },
      ...options,
    });
  }

  get store(): RedisIndexedSessionRepository['store'] {
    return this.repository.store;
  }

  /** A stored session of `name`, undefined = of an anonymous visitor. */
  async open(name?: string, attributes: Record<string, unknown> = { a: 1 }): Promise<MapSession> {
    const session = this.repository.createSession();
    if (name !== undefined) signIn(session, name);
    for (const [key, value] of Object.entries(attributes)) session.setAttribute(key, value);
    await session.save();
    return session;
  }

  async read(id: string): Promise<MapSession> {
    const session = await this.repository.findById(id);
    if (!session) throw new Error('The session is not there.');
    return session;
  }

  async idsOf(name: string): Promise<string[]> {
    const { sessions } = await this.repository.findByPrincipalName(name);
    return sessions.map(({ id }) => id).sort();
  }

  /** How many entries the index of a user has, whether their sessions live or not. */
  entryCount(name: string): Promise<number> {
    return this.client.zcard(this.store.keys.index('principal', name));
  }

  pass(seconds: number): void {
    this.nowMs += seconds * 1000;
  }
}
