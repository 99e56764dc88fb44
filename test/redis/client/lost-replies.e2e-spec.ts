import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { springSession } from 'nestjs-redis-session/spring';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';
import { VisitController } from '../../support/faults/visit-controller.js';
import { type RedisCluster, startRedisCluster } from '../../support/redis/redis-cluster.js';
import { eventually } from '../../support/waiting/eventually.js';
import { Visitor } from '../../support/http/visitor.js';

let cluster: RedisCluster;
/** The one of the server, and those of the nodes of the cluster. */
let proxies: TcpProxy[];
let app: StartedApp;

beforeAll(async () => {
  cluster = await startRedisCluster();
  const server = new URL(process.env['TEST_REDIS_URL'] ?? '');
  const ports = [Number(server.port), ...cluster.addresses.map(({ port }) => port)];
  proxies = await Promise.all(ports.map((targetPort) => startTcpProxy({ targetPort })));
});

afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.refuse()));
  await cluster.stop();
});

afterEach(async () => {
  for (const proxy of proxies) proxy.losesReplyTo = undefined;
  await app.close();
});

const start = async (
  platform: 'express' | 'fastify',
  options: RedisSessionModuleOptions,
): Promise<void> => {
  app = await startApp(platform, {
    controllers: [VisitController],
    options: { redis: serverBehindProxy(), namespace: `test:${randomUUID()}`, ...options },
  });
};

const serverBehindProxy = () => ({ host: '127.0.0.1', port: proxies[0]?.port ?? 0 });

function clusterBehindProxies(): RedisSessionModuleOptions['redis'] {
  const nodes = proxies.slice(1).map(({ port }) => ({ host: '127.0.0.1', port }));
  const names = cluster.addresses.map(({ host, port }) => `${host}:${port}`);
  const natMap = Object.fromEntries(nodes.map((node, i) => [names[i] ?? '', node]));
  return { nodes, options: { natMap } };
}

/** Has the reply lost to the first command, from the `nth` on, that `isMeant`. @returns what has been lost, and sent again */
function loseReply(nth: number, isMeant: (command: Buffer) => boolean = () => true) {
  const seen = { lost: 0, resent: 0 };
  let count = 0;
  let lost: Buffer | undefined;
  const losesReplyTo = (command: Buffer) => {
    if (lost?.equals(command)) seen.resent += 1;
    if (lost || !isMeant(command) || count++ < nth) return false;
    lost = command;
    seen.lost += 1;
    return true;
  };
  for (const proxy of proxies) proxy.losesReplyTo = losesReplyTo;
  return seen;
}

/** Of a visit. More are signs of life, of which a slow machine sees many. */
const MAX_COMMANDS = 60;

/** Runs `visit` again and again, each time without the reply to another one of its commands. */
async function withEachReplyLost(visit: (visitor: Visitor) => Promise<void>): Promise<void> {
  let resent = 0;
  for (let nth = 0; nth < MAX_COMMANDS; nth++) {
    const visitor = new Visitor(app.url);
    await visitor.post('/begin');
    const seen = loseReply(nth);
    await visit(visitor);
    resent += seen.resent;
    if (seen.lost === 0) break;
  }
  expect(resent).toBeGreaterThan(0);
}

const statusOf = async (visitor: Visitor, path: string) => (await visitor.post(path)).status;
const countOf = async (visitor: Visitor) => (await visitor.get('/count')).body;
const isLoggedIn = async (visitor: Visitor) => (await visitor.get('/me')).status === 200;

describe.each([
  ['express', 'the default repository', {}],
  ['fastify', 'the indexed repository', { repository: 'indexed' }],
  ['express', "Spring's default repository", { features: [springSession()] }],
  [
    'fastify',
    "Spring's indexed repository",
    { repository: 'indexed', features: [springSession()] },
  ],
  ['express', 'the default repository on a Redis Cluster', { redis: 'cluster' }],
  [
    'fastify',
    'the indexed repository on a Redis Cluster',
    { repository: 'indexed', redis: 'cluster' },
  ],
] as const)('on %s with %s, when Redis has done what its reply is lost to', (...parts) => {
  const [platform, , options] = parts;
  const begin = () =>
    start(platform, { ...options, ...('redis' in options && { redis: clusterBehindProxies() }) });

  it('counts each update once', async () => {
    await begin();
    await withEachReplyLost(async (visitor) => {
      expect(await statusOf(visitor, '/count')).toBe(201);
      expect(await statusOf(visitor, '/count-and-id')).toBe(201);
      expect(await countOf(visitor)).toEqual({ count: 2 });
    });
  });

  it('begins sessions, logs in, changes ids and logs out once', async () => {
    await begin();
    await withEachReplyLost(async (visitor) => {
      const twin = await visitor.twin();
      expect(await statusOf(visitor, '/login')).toBe(201);
      expect(await statusOf(visitor, '/id')).toBe(201);
      expect([await isLoggedIn(visitor), await isLoggedIn(twin)]).toEqual([true, false]);
      expect(await statusOf(visitor, '/logout')).toBe(201);
      expect(await isLoggedIn(visitor)).toBe(false);
      expect(await statusOf(visitor, '/count')).toBe(201);
      expect(await countOf(visitor)).toEqual({ count: 1 });
    });
  });
});

describe.each([
  ['express', []],
  ['fastify', [springSession()]],
] as const)('on %s, when a user may have one session and a reply is lost', (platform, features) => {
  const begin = (
    maximumSessionsPolicy: 'expire-oldest' | 'reject-login',
    options: RedisSessionModuleOptions = {},
  ) =>
    start(platform, {
      ...options,
      features,
      indexed: { maximumSessions: 1, maximumSessionsPolicy },
      repository: 'indexed',
    });

  it('the older session ends, and the newer one stays', async () => {
    await begin('expire-oldest');
    await withEachReplyLost(async (visitor) => {
      const older = new Visitor(app.url);
      expect(await statusOf(older, '/login')).toBe(201);
      expect(await statusOf(visitor, '/login')).toBe(201);
      expect([await isLoggedIn(older), await isLoggedIn(visitor)]).toEqual([false, true]);
    });
  });

  it('a login is not refused because of itself', async () => {
    await begin('reject-login');
    await withEachReplyLost(async (visitor) => {
      expect(await statusOf(visitor, '/login')).toBe(201);
      expect(await statusOf(new Visitor(app.url), '/login')).toBe(401);
      expect(await statusOf(visitor, '/logout')).toBe(201);
    });
  });

  it('a login that is answered with 503, and stored nevertheless, leaves its place', async () => {
    const redis = { ...serverBehindProxy(), maxRetriesPerRequest: 0 };
    await begin('reject-login', { commandTimeoutMs: 500, redis });
    expect(await statusOf(new Visitor(app.url), '/login')).toBe(201);
    await app.close();
    await begin('reject-login', { commandTimeoutMs: 500, redis });
    const isSave = (command: Buffer) => command.includes('sessionAttr:');
    const seen = loseReply(0, isSave);
    expect(await statusOf(new Visitor(app.url), '/login')).toBe(503);
    expect(seen.lost).toBe(1);
    const visitor = new Visitor(app.url);
    await eventually(async () => (await statusOf(visitor, '/login')) === 201);
    expect(await isLoggedIn(visitor)).toBe(true);
  });
});

describe.each([
  ['express', 'default', 'on-save', 'of its own'],
  ['fastify', 'default', 'immediate', 'of its own'],
  ['express', 'indexed', 'immediate', 'that it is given'],
  ['fastify', 'indexed', 'on-save', 'that it is given'],
] as const)(
  'on %s with the %s repository, flush mode %s and a client %s that sends nothing again',
  (...parts) => {
    const [platform, repository, flushMode, owner] = parts;
    let given: Redis | undefined;

    const begin = async () => {
      const connection = { ...serverBehindProxy(), maxRetriesPerRequest: 0 };
      given = owner === 'of its own' ? undefined : new Redis(connection);
      await start(platform, { flushMode, redis: given ?? connection, repository });
      const visitor = new Visitor(app.url);
      await visitor.post('/count');
      return visitor;
    };
    const isSave = (command: Buffer) => command.includes(':saves:');

    afterEach(() => given?.disconnect());

    it('never counts an update again that may have been saved, and answers 503', async () => {
      const visitor = await begin();
      expect(loseReply(0, isSave)).toEqual({ lost: 0, resent: 0 });
      expect(await statusOf(visitor, '/stubborn-count')).toBe(503);
      expect(await countOf(visitor)).toEqual({ count: 2 });
      expect(await statusOf(visitor, '/stubborn-count')).toBe(201);
      expect(await countOf(visitor)).toEqual({ count: 3 });
    });

    it('finds the session under its new id when it is saved again', async () => {
      const visitor = await begin();
      // Redis has all scripts from now on.
      await visitor.post('/id');
      loseReply(0, (command) => /evalsha/i.test(String(command)));
      expect(await statusOf(visitor, '/stubborn-id')).toBe(201);
      expect(await countOf(visitor)).toEqual({ count: 1 });
    });
  },
);

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository and durability', (platform, repository) => {
  let replica: Awaited<ReturnType<typeof startRedis>>;
  let direct: Redis;

  beforeAll(async () => {
    const { port } = new URL(process.env['TEST_REDIS_URL'] ?? '');
    replica = await startRedis({ args: ['--replicaof', '127.0.0.1', port] });
    direct = new Redis(replica.url);
    await eventually(async () => (await direct.info('replication')).includes('link_status:up'));
  });

  afterAll(async () => {
    direct.disconnect();
    await replica.stop();
  });

  const isReplicated = async (visitor: Visitor) => {
    const end = (await visitor.cookie())?.slice(8) ?? '';
    return (await direct.keys(`*${end}*`)).length > 0;
  };

  it('a login that is answered is on the replica, and a refused one can be repeated', async () => {
    await start(platform, { durability: { replicas: 1 }, repository });
    const statuses = new Set<number>();
    for (let nth = 0; nth < MAX_COMMANDS; nth++) {
      const visitor = new Visitor(app.url);
      await visitor.post('/begin');
      const seen = loseReply(nth);
      expect(await statusOf(visitor, '/count')).toBe(201);
      const status = await statusOf(visitor, '/login');
      statuses.add(status);
      if (status !== 201) expect(await statusOf(visitor, '/login')).toBe(201);
      expect([await isLoggedIn(visitor), await isReplicated(visitor)]).toEqual([true, true]);
      if (status === 201) expect(await countOf(visitor)).toEqual({ count: 1 });
      if (seen.lost === 0) break;
    }
    expect([...statuses].sort()).toEqual([201, 503]);
  });
});
