import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type INestApplication, Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { type SessionMigration, migrateFrom } from 'nestjs-redis-session/migration';
import { type Nginx, startNginx } from '../../tools/servers/nginx.mjs';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { type RunningApp } from '../sample-app/app/app.contract.js';
import { startOnConnectRedis } from '../sample-app/setup/connect-redis.js';
import { startOnRedisSession } from '../sample-app/setup/redis-session.js';
import { drainable } from '../support/apps/draining-replica.js';
import { LoadClient, onLanes } from '../support/http/load.js';
import { startSessionWriter } from '../support/apps/express-session-writer.js';
import { startRedis } from '../support/redis/redis-server.js';

Logger.overrideLogger(false);

const SECRET = 'a secret of the application that was there before';
/** Each client is used by one lane alone, as `sessions` are a multiple of them. */
const LANES = 16;
const REQUESTS_PER_STAGE = 200;

type Version = 'before' | 'share' | 'move';

const LIBRARIES = [
  { from: 'express-session', platform: 'express', sessions: 320 },
  { from: '@fastify/session', platform: 'fastify', sessions: 160 },
] as const;

describe.each(LIBRARIES)('$sessions sessions of $from', ({ from, platform, sessions }) => {
  const keyPrefix = `${randomUUID()}:`;
  const ports: Record<string, number> = {};
  const replicas = new Map<string, RunningApp>();
  const drains = new Map<string, () => Promise<void>>();
  const migrations: SessionMigration[] = [];
  let redis: RedisServer;
  let nginx: Nginx;

  /** What a client has stored, and must find again. */
  const users = Array.from({ length: sessions }, (_, n) => ({
    client: new LoadClient(n % 2 === 0 ? 'kim' : 'root'),
    item: `item ${n}`,
    views: 0,
  }));

  beforeAll(async () => {
    redis = await startRedis();
    ports['a'] = await getPort({ host: '127.0.0.1' });
    ports['b'] = await getPort({ host: '127.0.0.1' });
    nginx = await startNginx({ upstreamPorts: [ports['a'], ports['b']] });
  });

  afterAll(async () => {
    await nginx.stop();
    await Promise.all([...replicas.values()].map((replica) => replica.close()));
    await redis.stop();
  });

  async function switchTo(version: Version, pod: string): Promise<void> {
    await drains.get(pod)?.();
    await replicas.get(pod)?.close();
    const port = ports[pod] ?? 0;
    const migration = migrateFrom({
      ...{ from, secrets: [SECRET], keyPrefix },
      phase: version === 'before' ? 'share' : version,
    });
    const configure = (app: INestApplication) => drains.set(pod, drainable(app, pod));
    const start =
      version === 'before'
        ? startOnConnectRedis(from, {
            ...{ redisUrl: redis.url, keyPrefix, secret: SECRET, port, configure },
          })
        : startOnRedisSession({
            options: {
              redis: redis.url,
              features: [migration],
            },
            ...{ platform, port },
            configure: (app) => {
              configure(app);
              migrations.push(migration);
            },
          });
    replicas.set(pod, await start);
  }

  /** Without the application, which is much faster. */
  async function writeSessions(): Promise<void> {
    const writer = await startSessionWriter({ redisUrl: redis.url, keyPrefix, secret: SECRET });
    await onLanes(users, LANES, async ({ client, item }) => {
      const passport = { user: client.name === 'kim' ? 1 : 0 };
      const attributes = JSON.stringify({ passport, cart: { items: [item] } });
      await client.get(writer.url, `/?${encodeURIComponent(attributes)}`);
    });
    await writer.close();
  }

  async function logIn(): Promise<void> {
    await onLanes(users, LANES, async ({ client, item }) => {
      const credentials = { username: client.name, password: client.name };
      expect((await client.post(nginx.url, '/login', credentials)).status).toBe(200);
      expect((await client.post(nginx.url, '/cart', { item })).status).toBe(200);
    });
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

  it('survive that two replicas are switched one after the other while their clients work', async () => {
    await Promise.all(['a', 'b'].map((pod) => switchTo('before', pod)));
    await (from === 'express-session' ? writeSessions() : logIn());

    const progress = new EventEmitter();
    let pods: string[] = [];
    let isOver = false;
    const work = async (lane: number): Promise<void> => {
      for (let n = lane; !isOver; n = (n + LANES) % sessions) {
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
      for (const version of ['share', 'move'] as const) {
        for (const pod of ['a', 'b']) {
          await enoughRequests();
          await switchTo(version, pod);
        }
      }
      await enoughRequests();
      isOver = true;
    };
    await Promise.all([lanes, rollOut()]);

    await onLanes(users, LANES, async ({ client, item, views }) => {
      const { json } = JSON.parse((await client.get(nginx.url, '/stored')).body) as {
        json: object;
      };
      const passport = { user: client.name === 'kim' ? 1 : 0 };
      expect(json).toMatchObject({
        passport,
        cart: { items: [item] },
        ...(views > 0 && { views }),
      });
      expect(client.cookieNames).toEqual(['SESSION']);
    });
    const moved = migrations.reduce((sum, { progress }) => sum + progress.movedCount, 0);
    expect(moved).toBe(sessions);
    const client = new Redis(redis.url);
    const keys = await client.keys('nest:session:sessions:*');
    await client.quit();
    expect(keys).toHaveLength(sessions);
  }, 240_000);
});
