import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import { InvalidationLink } from '../../../libs/redis-session/src/redis/near-cache/invalidation-feed.js';
import {
  type NearCacheInput,
  NearCacheSessionRepository,
} from '../../../libs/redis-session/src/redis/near-cache/near-cache-session-repository.js';
import { redisSessionKeys } from '../../../libs/redis-session/src/redis/sessions/redis-session.mapper.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { type SessionLogger } from '../../../libs/redis-session/src/lib/logger.js';
import { type StoredSession } from '../../../libs/redis-session/src/session/session-change.js';
import { SessionOptionError } from '../../../libs/redis-session/src/session/session.errors.js';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { eventually } from '../../support/waiting/eventually.js';
import { type RecordedCommands, recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startTcpProxy } from '../../support/faults/tcp-proxy.js';

const silent = { warn: () => undefined, error: () => undefined };

/** Lets a test come between what Redis answers to a read and what becomes of the answer. */
class HeldRepository extends NearCacheSessionRepository {
  afterRead: (id: string) => Promise<void> = () => Promise.resolve();

  protected override async read(
    id: string,
    ...rest: [number | undefined, number]
  ): Promise<StoredSession | undefined> {
    const stored = await super.read(id, ...rest);
    await this.afterRead(id);
    return stored;
  }
}

let redis: RedisServer;
let recorded: RecordedCommands;
let client: Redis;
let nowMs: number;
let namespace: string;
let near: HeldRepository;
let other: RedisSessionRepository;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  redis = await startRedis();
  recorded = await recordCommands(redis.url);
});

afterAll(async () => {
  await recorded.stop();
  await redis.stop();
});

beforeEach(async () => {
  nowMs = Date.now();
  namespace = `test:${randomUUID()}`;
  client = connect();
  other = new RedisSessionRepository(connect(), { namespace, logger: silent, clock: () => nowMs });
  near = await startNear({ client });
});

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Options of the client that a test is about. */
interface ClientOptions {
  readonly keyPrefix?: string;
  readonly username?: string;
  readonly password?: string;
}

function connect(options: ClientOptions = {}, url = redis.url): Redis {
  const { hostname, port } = new URL(url);
  const connection = new Redis({ host: hostname, port: Number(port), ...options });
  connection.on('error', () => undefined);
  cleanups.push(() => {
    connection.disconnect();
    return Promise.resolve();
  });
  return connection;
}

interface NearParts {
  readonly client: Redis;
  readonly rules?: Partial<NearCacheInput>;
  readonly absoluteTimeoutSeconds?: number;
  readonly logger?: SessionLogger;
}

async function startNear({ client: used, rules, ...options }: NearParts): Promise<HeldRepository> {
  const repository = new HeldRepository(
    used,
    { namespace, logger: silent, clock: () => nowMs, ...options },
    { maxSessions: 10, flushIntervalMs: 100, ...rules },
  );
  await repository.start();
  cleanups.push(() => repository.stop());
  return repository;
}

async function store(attributes: Record<string, unknown> = { a: 1 }, idle = 1800): Promise<string> {
  const session = other.createSession();
  session.maxInactiveIntervalSeconds = idle;
  for (const [name, value] of Object.entries(attributes)) session.setAttribute(name, value);
  await other.save(session);
  return session.id;
}

async function change(id: string, value: unknown): Promise<void> {
  const session = await other.findById(id);
  session!.setAttribute('a', value);
  await other.save(session!);
}

/** As a request would. */
async function read(id: string, repository = near): Promise<unknown> {
  const session = await repository.findById(id, { accessTimeMs: nowMs });
  return session?.getAttribute('a');
}

/** The commands of `action` that are about sessions. */
async function commandsOf(action: () => Promise<unknown>): Promise<string[]> {
  await recorded.take();
  await action();
  return (await recorded.take())
    .map(([name = '']) => name.toLowerCase())
    .filter((name) => name.startsWith('eval'));
}

/** Waits until all that Redis has reported by now is known. */
async function catchUp(): Promise<void> {
  const id = await store({ a: 'before' });
  await read(id);
  await change(id, 'after');
  await eventually(async () => (await read(id)) === 'after');
}

const keyOf = (id: string): string => redisSessionKeys(namespace).session(id);

async function killSubscriber(user = 'default'): Promise<void> {
  const clients = String(await client.client('LIST')).split('\n');
  const subscriber = clients.find(
    (line) => / sub=1 /.test(line) && line.includes(` user=${user} `),
  );
  await client.client('KILL', 'ID', /id=(\d+)/.exec(subscriber ?? '')![1]!);
}

describe('a session in the near cache', () => {
  it('is read without a command', async () => {
    const id = await store();
    await read(id);
    expect(await commandsOf(() => read(id))).toEqual([]);
    expect(await read(id)).toBe(1);
  });

  it('is asked of Redis when the read records no access', async () => {
    const id = await store();
    await read(id);
    expect(await commandsOf(() => near.findById(id))).toHaveLength(1);
  });

  it('shows what another replica has changed', async () => {
    const id = await store();
    await read(id);
    await change(id, 2);
    await eventually(async () => (await read(id)) === 2);
    expect(await commandsOf(() => read(id))).toEqual([]);
  });

  it('is gone when another replica has deleted it', async () => {
    const id = await store();
    await read(id);
    await other.deleteById(id);
    await eventually(async () => (await read(id)) === undefined);
  });

  it('is gone when Redis is emptied', async () => {
    const id = await store();
    await read(id);
    await client.flushall();
    await eventually(async () => (await read(id)) === undefined);
  });

  it('shows what this replica has changed, at once', async () => {
    const id = await store();
    await read(id);
    const session = await near.findById(id, { accessTimeMs: nowMs });
    session!.setAttribute('a', 2);
    await near.save(session!);
    expect(await read(id)).toBe(2);
  });

  it('is gone at once when this replica has deleted it or changed its id', async () => {
    const [deletedId, changedId] = [await store(), await store()];
    await read(deletedId);
    await near.deleteById(deletedId);
    expect(await read(deletedId)).toBeUndefined();
    const session = await near.findById(changedId, { accessTimeMs: nowMs });
    session!.changeSessionId();
    await near.save(session!);
    expect(await read(changedId)).toBeUndefined();
    expect(await read(session!.id)).toBe(1);
  });

  it('is not kept when it changes while it is being read', async () => {
    const id = await store();
    near.afterRead = async (readId) => {
      if (readId !== id) return;
      near.afterRead = () => Promise.resolve();
      await change(id, 2);
      await catchUp();
    };
    expect(await read(id)).toBe(1);
    expect(await read(id)).toBe(2);
  });

  it('is the one that was used least lately that makes room', async () => {
    const small = await startNear({ client: connect(), rules: { maxSessions: 2 } });
    const ids = [await store(), await store(), await store()] as const;
    for (const id of ids) await read(id, small);
    expect(await commandsOf(() => read(ids[2], small))).toEqual([]);
    expect(await commandsOf(() => read(ids[1], small))).toEqual([]);
    expect(await commandsOf(() => read(ids[0], small))).toHaveLength(1);
  });

  it('is found under the keyPrefix of a client', async () => {
    const prefixed = await startNear({ client: connect({ keyPrefix: 'app:' }) });
    const session = prefixed.createSession();
    session.setAttribute('a', 1);
    await prefixed.save(session);
    await catchUp();
    await read(session.id, prefixed);
    expect(await commandsOf(() => read(session.id, prefixed))).toEqual([]);
    await client.del(`app:${keyOf(session.id)}`);
    await eventually(async () => (await read(session.id, prefixed)) === undefined);
  });
});

describe('the end of a session in the near cache', () => {
  it('comes when it was idle too long, by our clock', async () => {
    const id = await store();
    await read(id);
    nowMs += 1_799_999;
    expect(await read(id)).toBe(1);
    nowMs += 1_800_000;
    expect(await read(id)).toBeUndefined();
  });

  it('comes with absoluteTimeoutSeconds, however active it is', async () => {
    const limited = await startNear({ client: connect(), absoluteTimeoutSeconds: 60 });
    const id = await store();
    await read(id, limited);
    nowMs += 59_999;
    expect(await read(id, limited)).toBe(1);
    nowMs += 1;
    expect(await read(id, limited)).toBeUndefined();
  });
});

describe('the last access', () => {
  const accessOf = async (id: string): Promise<number> =>
    Number(await client.hget(keyOf(id), 'lastAccessedTime'));

  it('is recorded later, and lets the session live longer', async () => {
    const id = await store();
    await read(id);
    nowMs += 60_000;
    const ttlMs = await client.pttl(keyOf(id));
    expect(await commandsOf(() => read(id))).toEqual([]);
    await eventually(async () => (await accessOf(id)) === nowMs);
    expect(await client.pttl(keyOf(id))).toBeGreaterThan(ttlMs + 50_000);
  });

  it('is shown to the request before it is recorded', async () => {
    const id = await store();
    await read(id);
    nowMs += 60_000;
    const session = await near.findById(id, { accessTimeMs: nowMs });
    expect(session!.lastAccessedTime.getTime()).toBe(nowMs);
    expect(session!.hasChanges).toBe(false);
  });

  it('is recorded once in an interval, so that the session stays in the cache in between', async () => {
    const slow = await startNear({ client: connect(), rules: { flushIntervalMs: 10_000 } });
    const id = await store();
    nowMs += 9_999;
    await read(id, slow);
    expect(await commandsOf(() => read(id, slow))).toEqual([]);
    expect(await accessOf(id)).toBe(nowMs - 9_999);
    await slow.stop();
    expect(await accessOf(id)).toBe(nowMs - 9_999);
  });

  it('is recorded at the end of the process', async () => {
    const ending = await startNear({ client: connect(), rules: { flushIntervalMs: 10_000 } });
    const id = await store();
    await read(id, ending);
    nowMs += 10_000;
    await read(id, ending);
    await ending.stop();
    expect(await accessOf(id)).toBe(nowMs);
  });

  it('does not revive a session that has ended meanwhile', async () => {
    const ending = await startNear({ client: connect(), rules: { flushIntervalMs: 10_000 } });
    const id = await store();
    await read(id, ending);
    nowMs += 10_000;
    await read(id, ending);
    await other.deleteById(id);
    await ending.stop();
    expect(await client.exists(keyOf(id))).toBe(0);
  });

  it('is recorded at once for a session that lives too short to wait, and is not kept', async () => {
    const slow = await startNear({ client: connect(), rules: { flushIntervalMs: 10_000 } });
    const id = await store({ a: 1 }, 39);
    nowMs += 1;
    await read(id, slow);
    expect(await accessOf(id)).toBe(nowMs);
    expect(await commandsOf(() => read(id, slow))).not.toEqual([]);
  });
});

describe('the connection that reports changes', () => {
  it('is missed with one line and is back with another, once Redis allows it again', async () => {
    const allow = (rule: string) => client.call('ACL', 'SETUSER', 'kim', rule);
    for (const rule of ['on', '>kim', '~*', '&*', '+@all']) await allow(rule);
    const told: string[] = [];
    const warn = (line: string) => void told.push(line);
    const modest = connect({ username: 'kim', password: 'kim' });
    const cache = await startNear({ client: modest, logger: { warn, error: warn } });
    await allow('-client|tracking');
    await killSubscriber('kim');
    await eventually(() => Promise.resolve(told.length > 0));
    expect(told).toEqual([
      expect.stringMatching(
        /^The near cache is bypassed until Redis reports changes again: .*NOPERM.*\. Each request reads its session from Redis\.$/,
      ),
    ]);
    await allow('+client|tracking');
    await eventually(() => Promise.resolve(cache.isKeeping));
    expect(told.slice(1)).toEqual(['The near cache is in use again.']);
  });

  it('is replaced when it is lost; in between every read asks Redis', async () => {
    const id = await store();
    await read(id);
    await killSubscriber();
    await eventually(() => Promise.resolve(!near.isKeeping));
    await change(id, 2);
    expect(await read(id)).toBe(2);
    await eventually(() => Promise.resolve(near.isKeeping));
    await read(id);
    expect(await commandsOf(() => read(id))).toEqual([]);
    await change(id, 3);
    await eventually(async () => (await read(id)) === 3);
  });

  it('is replaced when the connection that reads is lost', async () => {
    const id = await store();
    await read(id);
    client.disconnect(true);
    await eventually(() => Promise.resolve(!near.isKeeping));
    await eventually(() => Promise.resolve(near.isKeeping));
    await change(id, 2);
    await eventually(async () => (await read(id)) === 2);
  });

  it('is replaced when Redis comes back after a restart', async () => {
    const server = await startRedis();
    const mortal = await startNear({ client: connect({}, server.url) });
    const session = mortal.createSession();
    session.setAttribute('a', 1);
    await mortal.save(session);
    expect(await read(session.id, mortal)).toBe(1);
    await server.stop();
    await eventually(() => Promise.resolve(!mortal.isKeeping));
    const successor = await startRedis({ port: server.port });
    cleanups.push(() => successor.stop());
    await eventually(() => Promise.resolve(mortal.isKeeping));
    expect(await read(session.id, mortal)).toBeUndefined();
  });

  it('is given up when it says nothing any more', async () => {
    const proxy = await startTcpProxy({ targetPort: redis.port });
    cleanups.push(() => proxy.refuse());
    let isLost = false;
    const link = new InvalidationLink({
      client: connect({}, `redis://127.0.0.1:${proxy.port}`),
      commandTimeoutMs: 2000,
      prefix: namespace,
      onInvalidated: () => undefined,
      onLost: () => {
        isLost = true;
      },
    });
    await link.open();
    await link.prove(2000);
    expect(link.silenceMs).toBeLessThan(Infinity);
    proxy.pause();
    await link.prove(50);
    expect(link.silenceMs).toBe(Infinity);
    expect(isLost).toBe(true);
  });
});

describe('a Redis that cannot report changes', () => {
  it('refuses the start when it belongs to a cluster', async () => {
    const node = await startRedis({ args: ['--cluster-enabled', 'yes'] });
    cleanups.push(() => node.stop());
    const start = startNear({ client: connect({}, node.url) });
    await expect(start).rejects.toThrow(SessionOptionError);
    await expect(start).rejects.toThrow(/^nearCache must be left out on a Redis Cluster/);
  });

  it('refuses the start when it belongs to a cluster of Valkey', async () => {
    const node = await startRedis({ args: ['--cluster-enabled', 'yes'] });
    cleanups.push(() => node.stop());
    const start = startNear({ client: asValkey(connect({}, node.url)) });
    await expect(start).rejects.toThrow(/^nearCache must be left out on a Redis Cluster/);
  });

  it('refuses the start when it does not allow CLIENT TRACKING', async () => {
    await client.call(
      'ACL',
      'SETUSER',
      'kim',
      'on',
      '>kim',
      '~*',
      '&*',
      '+@all',
      '-client|tracking',
    );
    const start = startNear({ client: connect({ username: 'kim', password: 'kim' }) });
    await expect(start).rejects.toThrow(/^nearCache must be left out with this Redis.*NOPERM/);
  });
});

/** Valkey says `server_mode` where Redis says `redis_mode`. */
function asValkey(node: Redis): Redis {
  const info = node.info.bind(node) as (...args: unknown[]) => Promise<string>;
  const duplicate = node.duplicate.bind(node);
  const isSection = (args: unknown[]) => args.length === 1 && typeof args[0] === 'string';
  return Object.assign(node, {
    duplicate: (options: RedisOptions) => asValkey(duplicate(options)),
    info: async (...args: unknown[]) => {
      const text = await info(...args);
      return isSection(args) ? text.replace('redis_mode', 'server_mode') : text;
    },
  });
}
