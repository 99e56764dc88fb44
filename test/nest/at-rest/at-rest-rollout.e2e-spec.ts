import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type INestApplication, Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { type Nginx, startNginx } from '../../../tools/servers/nginx.mjs';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { type RunningApp } from '../../sample-app/app/app.contract.js';
import { startOnRedisSession } from '../../sample-app/setup/redis-session.js';
import { drainable } from '../../support/apps/draining-replica.js';
import { LoadClient, onLanes } from '../../support/http/load.js';
import { startRedis } from '../../support/redis/redis-server.js';

Logger.overrideLogger(false);

/** Each client is used by one lane alone, as the sessions are a multiple of them. */
const LANES = 8;
const SESSIONS = 96;
const REQUESTS_PER_STAGE = 300;

const keys = [randomBytes(32).toString('base64')];
const indexKey = randomBytes(32).toString('base64');

const STEPS: readonly RedisSessionModuleOptions[] = [
  {},
  { hashIds: 'read', encryption: { indexKey, keys, rollout: 'read' } },
  { hashIds: 'rename', encryption: { indexKey, keys, rollout: 'write' } },
  { hashIds: true, encryption: { indexKey, keys } },
];

describe.each(['default', 'indexed'] as const)('sessions of the %s repository', (repository) => {
  const ports: Record<string, number> = {};
  const replicas = new Map<string, RunningApp>();
  const drains = new Map<string, () => Promise<void>>();
  let redis: RedisServer;
  let nginx: Nginx;

  /** What a client has stored, and must find again. */
  const users = Array.from({ length: SESSIONS }, (_, n) => ({
    client: new LoadClient(n % 2 === 0 ? 'kim' : 'root'),
    item: `item ${n}`,
    views: 0,
  }));

  beforeAll(async () => {
    redis = await startRedis();
    for (const pod of ['a', 'b']) ports[pod] = await getPort({ host: '127.0.0.1' });
    nginx = await startNginx({ upstreamPorts: [ports['a'] ?? 0, ports['b'] ?? 0] });
  });

  afterAll(async () => {
    await nginx.stop();
    await Promise.all([...replicas.values()].map((replica) => replica.close()));
    await redis.stop();
  });

  async function switchTo(step: RedisSessionModuleOptions, pod: string): Promise<void> {
    await drains.get(pod)?.();
    await replicas.get(pod)?.close();
    const configure = (app: INestApplication) => drains.set(pod, drainable(app, pod));
    const options = { ...step, redis: redis.url, repository };
    const setup = { options, platform: 'fastify' as const, port: ports[pod] ?? 0, configure };
    replicas.set(pod, await startOnRedisSession(setup));
  }

  /** Uses the session of one client, who would notice that anything is missing. */
  async function use(user: (typeof users)[number]): Promise<string[]> {
    const { client, item } = user;
    const me = await client.get(nginx.url, '/me');
    const views = await client.get(nginx.url, '/views');
    const cart = await client.get(nginx.url, '/cart');
    expect([me.status, me.body]).toEqual([200, expect.stringContaining(`"${client.name}"`)]);
    // nginx sends a GET again when the replica that has it is stopped: it may count twice, but never falls back.
    expect([views.status, Number(views.body) > user.views]).toEqual([200, true]);
    user.views = Number(views.body);
    expect([cart.status, cart.body]).toEqual([200, JSON.stringify([item])]);
    return [me.pod, views.pod, cart.pod];
  }

  async function logIn({ client, item }: (typeof users)[number]): Promise<void> {
    const credentials = { username: client.name, password: client.name };
    expect((await client.post(nginx.url, '/login', credentials)).status).toBe(200);
    expect((await client.post(nginx.url, '/cart', { item })).status).toBe(200);
  }

  it('get hashed ids and encrypted attributes while their clients work, and nobody is logged out', async () => {
    await Promise.all(['a', 'b'].map((pod) => switchTo(STEPS[0] ?? {}, pod)));
    await onLanes(users, LANES, logIn);

    const progress = new EventEmitter();
    let pods: string[] = [];
    let isOver = false;
    const work = async (lane: number): Promise<void> => {
      for (let n = lane; !isOver; n = (n + LANES) % SESSIONS) {
        pods.push(...(await use(users[n]!)));
        progress.emit('request');
      }
    };
    const lanes = Promise.all(Array.from({ length: LANES }, (_, lane) => work(lane)));
    const enoughRequests = async (): Promise<void> => {
      pods = [];
      while (pods.length < REQUESTS_PER_STAGE || new Set(pods).size < 2)
        await once(progress, 'request');
    };
    const rollOut = async (): Promise<void> => {
      for (const step of STEPS.slice(1)) {
        for (const pod of ['a', 'b']) {
          await enoughRequests();
          await switchTo(step, pod);
        }
        await enoughRequests();
      }
      isOver = true;
    };
    await Promise.all([lanes, rollOut()]);
    await onLanes(users, LANES, async (user) => {
      await use(user);
    });

    const client = new Redis(redis.url);
    const names = await client.keys('nest:session:*sessions:*=*');
    const fields = await Promise.all(names.map((name) => client.hvals(name)));
    await client.quit();
    expect(names).toHaveLength(SESSIONS);
    expect(fields.flat().join()).not.toMatch(/item \d|"(?:kim|root)"/);
  }, 240_000);
});
