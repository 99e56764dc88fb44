import { afterEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import {
  closeRedisClient,
  createRedisClient,
  isRedisClient,
  pingRedis,
  type RedisConnection,
  type RedisClient,
} from '../../../libs/redis-session/src/redis/client/redis-client.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { startRedisCluster } from '../../support/redis/redis-cluster.js';
import { startRedisSentinel } from '../../support/redis/redis-sentinel.js';
import { startRedis } from '../../support/redis/redis-server.js';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function open(connection: RedisConnection, timeoutMs = 2000): RedisClient {
  const { client } = createRedisClient(connection, timeoutMs);
  endings.push(() => client.disconnect());
  return client;
}

async function startServer(): Promise<{ port: number; url: string }> {
  const server = await startRedis();
  endings.push(() => server.stop());
  return server;
}

async function startServerWithPassword(password: string): Promise<{ port: number; url: string }> {
  const server = await startServer();
  const client = new Redis(server.url);
  await client.config('SET', 'requirepass', password);
  await client.quit();
  return server;
}

/** Creates, updates, moves and deletes sessions, and looks at the result of each step. */
async function useSessions(client: RedisClient): Promise<void> {
  const repository = new RedisSessionRepository(client);
  const sessions = Array.from({ length: 5 }, () => repository.createSession());
  for (const session of sessions) {
    session.setAttribute('count', 1);
    await session.save();
    await session.update<number>('count', (count = 0) => count + 1);
    session.changeSessionId();
    void session.update<number>('count', (count = 0) => count + 1);
    await session.save();
    const found = await repository.findById(session.id, { accessTimeMs: Date.now() + 1 });
    expect(found?.getAttribute('count')).toBe(3);
    await session.invalidate();
    expect(await repository.findById(session.id)).toBeUndefined();
  }
}

async function failureOf(connection: RedisConnection, timeoutMs = 2000): Promise<Error> {
  const error = await pingRedis(open(connection, timeoutMs), timeoutMs).catch(
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('Redis answered.');
  return error;
}

describe('createRedisClient', () => {
  it('takes a url', async () => {
    const client = open((await startServer()).url);
    await pingRedis(client, 2000);
    await useSessions(client);
  });

  it('takes ioredis options', async () => {
    const { port } = await startServerWithPassword('secret');
    const client = open({ host: '127.0.0.1', port, password: 'secret', stringNumbers: true });
    await pingRedis(client, 2000);
    await useSessions(client);
  });

  it('takes the nodes of a Redis Cluster', async () => {
    const cluster = await startRedisCluster();
    endings.push(() => cluster.stop());
    const client = open({ nodes: [...cluster.addresses] });
    await pingRedis(client, 5000);
    await useSessions(client);
    await closeRedisClient(client, 2000);
  });

  it('takes Sentinels', async () => {
    const { sentinels, name, stop } = await startRedisSentinel();
    endings.push(stop);
    const client = open({ sentinels: [...sentinels], name });
    await pingRedis(client, 5000);
    await useSessions(client);
  });

  it('takes a client, which is not ours to close', async () => {
    const given = new Redis((await startServer()).url, { keyPrefix: 'app:' });
    endings.push(() => given.disconnect());
    expect(createRedisClient(given, 100)).toEqual({ client: given, isOwn: false });
    await pingRedis(given, 2000);
    await useSessions(given);
    expect(given.status).toBe('ready');
  });

  it('makes a client that is ours to close, and connects only when it is used', () => {
    const { client, isOwn } = createRedisClient('redis://127.0.0.1:1', 100);
    expect(isOwn).toBe(true);
    expect(client.status).toBe('wait');
  });
});

describe('isRedisClient', () => {
  it('tells a client from a url, options and nodes', () => {
    const client = new Redis({ lazyConnect: true });
    expect(isRedisClient(client)).toBe(true);
    expect(isRedisClient(client.duplicate({ lazyConnect: true }))).toBe(true);
    for (const other of ['redis://a', { host: 'a' }, { nodes: [] }, null, undefined]) {
      expect(isRedisClient(other)).toBe(false);
    }
  });
});

describe('pingRedis', () => {
  it('says in one sentence that nobody listens there', async () => {
    const { message } = await failureOf('redis://user:secret@127.0.0.1:1');
    expect(message).toBe(
      'Cannot reach Redis: the session store failed (connect ECONNREFUSED 127.0.0.1:1). Check the option redis: the address, the password, and rediss:// if Redis wants TLS.',
    );
  });

  it('says so for a Redis Cluster', async () => {
    const error = await failureOf({ nodes: [{ host: '127.0.0.1', port: 1 }] });
    expect(error.message).toMatch(/^Cannot reach Redis: the session store failed \([^)]+\)/);
  });

  it('says that the host is unknown', async () => {
    const { message } = await failureOf('redis://:secret@nowhere.invalid');
    expect(message).toContain('nowhere.invalid');
    expect(message).not.toContain('secret');
  });

  it('says that the password is wrong, without it', async () => {
    const { port } = await startServerWithPassword('right');
    const error = await failureOf(`redis://:secret@127.0.0.1:${port}`);
    expect(error.message).toContain('WRONGPASS');
    expect(inspect(error, { depth: 9 })).not.toContain('secret');
  });

  it.each(['by its url', 'of a given client'])(
    'says that the database does not exist, %s',
    async (way) => {
      const { url } = await startServer();
      const given = new Redis(`${url}/99`);
      given.on('error', () => undefined);
      endings.push(() => given.disconnect());
      expect((await failureOf(way === 'by its url' ? `${url}/99` : given)).message).toBe(
        'Cannot use database 99 of Redis: ERR DB index is out of range. Choose one that this Redis has and its user may select.',
      );
    },
  );

  it('leaves a database alone that exists', async () => {
    const { url } = await startServer();
    const client = open(`${url}/7`);
    await pingRedis(client, 2000);
    await useSessions(client);
    expect(await client.client('INFO')).toContain(' db=7 ');
  });

  it('says that a password is missing', async () => {
    const { url } = await startServerWithPassword('right');
    expect((await failureOf(url)).message).toContain('NOAUTH');
  });

  it('gives up in time when Redis hangs', async () => {
    const server = await startRedis();
    endings.push(() => server.stop());
    await server.kill('SIGSTOP');
    expect((await failureOf(server.url, 100)).message).toContain('no answer within 100 ms');
  });
});
