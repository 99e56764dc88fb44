import { describe, expect, it } from '@jest/globals';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { eventually } from '../../support/waiting/eventually.js';
import { send } from '../../support/http/http-client.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startRedisSentinel, type RedisSentinel } from '../../support/redis/redis-sentinel.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';

/** How long after the promotion the first login works at the latest. */
const BACK_WITHIN_MS = 3000;
/** How long after a promotion the old master may still be asked. */
const WINDOW_MS = 1500;
const SAFE_LOGINS = 50;

const VISITORS = 10;
/** So many before the failover, and as many after it. */
const MANY_LOGOUTS = 25;

/** A Sentinel of its own for one case, and how its applications are used. */
interface Failover {
  readonly sentinel: RedisSentinel;
  readonly promotedAtMs: Promise<number>;
  start(options?: RedisSessionModuleOptions): Promise<StartedApp>;
}

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository, with Sentinel', (platform, repository) => {
  /** A case of its own servers, so that several wait at the same time. */
  const withSentinel = (use: (failover: Failover) => Promise<void>) => async () => {
    const sentinel = await startRedisSentinel();
    const watcher = new Redis(sentinel.sentinels[0] ?? {});
    await watcher.subscribe('+switch-master');
    const promotedAtMs = new Promise<number>((resolve) => {
      watcher.once('message', () => resolve(performance.now()));
    });
    const replicas: StartedApp[] = [];
    const start = async (options: RedisSessionModuleOptions = {}) => {
      const redis = { sentinels: [...sentinel.sentinels], name: sentinel.name };
      const replica = await startApp(platform, {
        controllers: [OutageController],
        options: { commandTimeoutMs: 1000, repository, redis, ...options },
      });
      replicas.push(replica);
      return replica;
    };
    try {
      await use({ sentinel, promotedAtMs, start });
    } finally {
      await Promise.allSettled(replicas.map((replica) => replica.close()));
      watcher.disconnect();
      await sentinel.stop();
    }
  };

  // Alone, because time counts.
  it(
    'leaves a frozen master within 3 seconds after the promotion, and does not return to it',
    withSentinel(async ({ sentinel, promotedAtMs, start }) => {
      const replica = await start();
      expect((await login(replica)).status).toBe(201);
      await sentinel.master.kill('SIGSTOP');
      await promotedAtMs;

      await eventually(async () => (await login(replica)).status === 201, BACK_WITHIN_MS);
      const { cookie } = await login(replica);
      await sentinel.master.kill('SIGCONT');
      for (let round = 0; round < 50; round++) {
        expect(await isKnown(replica, cookie)).toBe(true);
        await delay(20);
      }
    }),
  );

  it.concurrent(
    'leaves a master that only the Sentinels cannot reach, and agrees with a replica that starts later',
    withSentinel(async ({ sentinel, promotedAtMs, start }) => {
      const replica = await start();
      const logins = safeLogins(replica, promotedAtMs);
      await hideFromSentinels(sentinel.master.url);

      const safe = await logins;
      expect(await isMaster(sentinel.master.port)).toBe(true);
      const later = await start();
      for (const cookie of safe) {
        expect(await isKnown(replica, cookie)).toBe(true);
        expect(await isKnown(later, cookie)).toBe(true);
      }
    }),
  );

  it.concurrent(
    'loses no login that was answered more than 1.5 seconds after a planned failover',
    withSentinel(async ({ sentinel, promotedAtMs, start }) => {
      const replica = await start();
      const logins = safeLogins(replica, promotedAtMs);
      await failOver(sentinel);

      const safe = await logins;
      await eventually(async () => !(await isMaster(sentinel.master.port)), 20_000);
      for (const cookie of safe) expect(await isKnown(replica, cookie)).toBe(true);
    }),
  );

  it.concurrent(
    'with durability, loses no logout that was answered before, during or after a planned failover',
    withSentinel(async ({ sentinel, promotedAtMs, start }) => {
      const replica = await start({ durability: { replicas: 2, timeoutMs: 500 } });
      const loggedOut: string[] = [];
      let isOver = false;
      const visit = async () => {
        while (!isOver) {
          await delay(20);
          const { status, cookie = '' } = await login(replica);
          if (status !== 201) continue;
          const logout = await send(replica.port, 'POST /logout', { cookie });
          expect([201, 503]).toContain(logout.status);
          if (logout.status === 201) loggedOut.push(cookie);
        }
      };
      const visits = Array.from({ length: VISITORS }, visit);
      await eventually(() => Promise.resolve(loggedOut.length > MANY_LOGOUTS), 20_000);
      await failOver(sentinel);
      await promotedAtMs;
      await eventually(async () => !(await isMaster(sentinel.master.port)), 20_000);
      const before = loggedOut.length;
      await eventually(() => Promise.resolve(loggedOut.length > before + MANY_LOGOUTS), 20_000);
      isOver = true;
      await Promise.all(visits);

      const known = [];
      for (const cookie of loggedOut) if (await isKnown(replica, cookie)) known.push(cookie);
      expect(known).toHaveLength(0);
    }),
  );
});

function login(replica: StartedApp) {
  return send(replica.port, 'POST /login');
}

async function isKnown(replica: StartedApp, cookie = ''): Promise<boolean> {
  return (await send(replica.port, 'GET /me', { cookie })).status === 200;
}

/** Logs in again and again, from before the promotion until enough answers came too late to be lost. */
async function safeLogins(replica: StartedApp, promotedAtMs: Promise<number>): Promise<string[]> {
  let overMs = Infinity;
  void promotedAtMs.then((atMs) => (overMs = atMs + WINDOW_MS));
  const safe: string[] = [];
  while (safe.length < SAFE_LOGINS) {
    const { status, cookie = '' } = await login(replica);
    if (status === 201 && performance.now() > overMs) safe.push(cookie);
    await delay(20);
  }
  return safe;
}

async function failOver(sentinel: RedisSentinel): Promise<void> {
  const commander = new Redis(sentinel.sentinels[0] ?? {});
  await commander.call('SENTINEL', 'FAILOVER', sentinel.name);
  commander.disconnect();
}

async function isMaster(port: number): Promise<boolean> {
  const client = new Redis(port, { enableReadyCheck: false });
  try {
    return (await client.role())[0] === 'master';
  } finally {
    client.disconnect();
  }
}

/** The master goes on answering the application, and stays a master. */
async function hideFromSentinels(url: string): Promise<void> {
  const client = new Redis(url);
  const refused = ['-ping', '-info', '-replicaof', '-slaveof', '-publish', '-subscribe', '-multi'];
  await client.call('ACL', 'SETUSER', 'default', ...refused);
  client.disconnect();
}
