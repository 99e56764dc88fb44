import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { springSession } from 'nestjs-redis-session/spring';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { send } from '../../support/http/http-client.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { type Platform, startApp, type StartedApp } from '../../support/apps/start-app.js';

const DEADLINE_MS = 1000;

interface Case {
  readonly platform: Platform;
  readonly name: string;
  readonly options: RedisSessionModuleOptions;
}

/** Platforms know nothing of repositories: each has to be there once. */
const CASES: readonly Case[] = [
  { platform: 'express', name: 'default', options: {} },
  {
    platform: 'fastify',
    name: 'indexed',
    options: { repository: 'indexed', indexed: { eventDelivery: 'once' } },
  },
  {
    platform: 'express',
    name: 'minute-bucket',
    options: { repository: 'indexed', indexed: { expirationStore: 'minute-buckets' } },
  },
  { platform: 'fastify', name: 'Spring', options: { features: [springSession()] } },
  {
    platform: 'express',
    name: 'indexed Spring',
    options: { repository: 'indexed', features: [springSession()] },
  },
];

let redis: Awaited<ReturnType<typeof startRedis>>;
let direct: Redis;
let replica: StartedApp;

beforeEach(async () => {
  OutageController.barrier = new Barrier();
  // A snapshot cannot be written to this folder.
  redis = await startRedis({ args: ['--dir', '/proc'] });
  direct = new Redis(redis.url);
});

afterEach(async () => {
  await replica.close();
  direct.disconnect();
  await redis.stop();
});

describe.each(CASES)('on $platform with the $name repository', ({ options, platform }) => {
  const start = async () => {
    replica = await startApp(platform, {
      controllers: [OutageController],
      options: {
        ...options,
        commandTimeoutMs: DEADLINE_MS,
        redis: redis.url,
        touchIntervalSeconds: 0,
      },
    });
  };
  const statusOf = async (line: Parameters<typeof send>[1], cookie?: string) =>
    (await send(replica.port, line, { cookie })).status;
  const login = async () => (await send(replica.port, 'POST /login')).cookie ?? '';
  const keyOfSession = async () => {
    const [, [key = '']] = await direct.scan('0', 'COUNT', '1000', 'TYPE', 'hash');
    return key;
  };

  describe('when Redis is full', () => {
    const fill = () => direct.config('SET', 'maxmemory', '1');

    it('sessions are read and live on, and only requests that change one get 503', async () => {
      await start();
      const cookie = await login();
      await fill();

      const accessedMs = Date.now();
      const statuses = [
        await statusOf('GET /me', cookie),
        await statusOf('GET /me', cookie),
        await statusOf('POST /json', cookie),
        await statusOf('POST /login'),
        await statusOf('GET /me', cookie),
      ];
      expect(statuses).toEqual([200, 200, 503, 503, 200]);
      expect(
        Number(await direct.hget(await keyOfSession(), 'lastAccessedTime')),
      ).toBeGreaterThanOrEqual(accessedMs);

      await direct.config('SET', 'maxmemory', '0');
      expect(await statusOf('POST /json', cookie)).toBe(201);
    });

    it('a large session is read, the first time as well', async () => {
      await start();
      const cookie = await login();
      await direct.hset(
        await keyOfSession(),
        'sessionAttr:large',
        JSON.stringify('x'.repeat(20_000)),
      );
      await fill();

      expect(await statusOf('GET /me', cookie)).toBe(200);
      expect(await statusOf('GET /me', cookie)).toBe(200);
    });

    it('a logout ends the session', async () => {
      await start();
      const cookie = await login();
      await fill();

      expect(await statusOf('POST /logout', cookie)).toBe(201);
      expect(await statusOf('GET /me', cookie)).toBe(401);
    });
  });

  it('when Redis cannot write to its disk, sessions are read, and requests that change one get 503', async () => {
    await start();
    const [cookie, ended] = [await login(), await login()];
    await statusOf('POST /logout', ended);
    await direct.config('SET', 'save', '3600 1000000');
    await direct.bgsave();
    await eventually(async () => (await direct.info('persistence')).includes('status:err'));

    const statuses = [
      await statusOf('GET /me', cookie),
      await statusOf('POST /json', cookie),
      await statusOf('POST /logout', cookie),
      await statusOf('GET /me', cookie),
      await statusOf('GET /me', ended),
    ];
    expect(statuses).toEqual([200, 503, 503, 200, 401]);

    await direct.config('SET', 'save', '');
    expect(await statusOf('POST /logout', cookie)).toBe(201);
  });

  it.each([
    ['is a replica', () => direct.replicaof('127.0.0.1', '1')],
    ['lacks replicas', () => direct.config('SET', 'min-replicas-to-write', '1')],
  ])('when Redis %s, a request whose access is to be recorded gets 503', async (_, fail) => {
    await start();
    const cookie = await login();
    expect(await statusOf('GET /me', cookie)).toBe(200);
    await fail();
    expect(await statusOf('GET /me', cookie)).toBe(503);
    expect(await statusOf('POST /login')).toBe(503);
  });

  it('when Redis has refused an update, it counts once as soon as it is saved again', async () => {
    await start();
    const cookie = await login();
    await direct.config('SET', 'maxmemory', '1');
    const again = statusOf('POST /held-count', cookie);
    await OutageController.barrier.reachedBy(1);
    await direct.config('SET', 'maxmemory', '0');
    expect(await statusOf('POST /count', cookie)).toBe(201);
    OutageController.barrier.open();

    expect(await again).toBe(201);
    expect(await direct.hget(await keyOfSession(), 'sessionAttr:count')).toBe('2');
  });

  it('when Redis is read-only, requests that change a session get 503, and it does not connect anew for each', async () => {
    await start();
    const cookie = await login();
    await direct.replicaof('127.0.0.1', '1');
    const connections = async () =>
      Number(/total_connections_received:(\d+)/.exec(await direct.info('stats'))?.[1]);
    const before = await connections();

    for (let round = 0; round < 5; round++) {
      expect(await statusOf('POST /json', cookie)).toBe(503);
      expect(await statusOf('POST /logout', cookie)).toBe(503);
    }
    expect((await connections()) - before).toBeLessThan(10);

    await direct.replicaof('NO', 'ONE');
    await eventually(async () => (await statusOf('POST /json', cookie)) === 201);
  });
});
