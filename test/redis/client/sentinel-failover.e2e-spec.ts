import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Barrier } from '../../support/waiting/barrier.js';
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

let sentinel: RedisSentinel;
let watcher: Redis;
let replica: StartedApp;
let promotedAtMs: Promise<number>;

beforeEach(async () => {
  OutageController.barrier = new Barrier();
  sentinel = await startRedisSentinel();
  watcher = new Redis(sentinel.sentinels[0] ?? {});
  await watcher.subscribe('+switch-master');
  promotedAtMs = new Promise((resolve) => {
    watcher.once('message', () => resolve(performance.now()));
  });
});

afterEach(async () => {
  await replica.close();
  watcher.disconnect();
  await sentinel.stop();
});

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository, with Sentinel', (platform, repository) => {
  const start = (options: RedisSessionModuleOptions = {}) =>
    startApp(platform, {
      controllers: [OutageController],
      options: {
        commandTimeoutMs: 1000,
        repository,
        redis: { sentinels: [...sentinel.sentinels], name: sentinel.name },
        ...options,
      },
    });
  const login = () => send(replica.port, 'POST /login');
  const isKnown = async (cookie = '') =>
    (await send(replica.port, 'GET /me', { cookie })).status === 200;

  /** Logs in again and again, from before the promotion until enough answers came too late to be lost. */
  async function safeLogins(): Promise<string[]> {
    let overMs = Infinity;
    void promotedAtMs.then((atMs) => (overMs = atMs + WINDOW_MS));
    const safe: string[] = [];
    while (safe.length < SAFE_LOGINS) {
      const { status, cookie = '' } = await login();
      if (status === 201 && performance.now() > overMs) safe.push(cookie);
      await delay(20);
    }
    return safe;
  }

  it('leaves a frozen master within 3 seconds after the promotion, and does not return to it', async () => {
    replica = await start();
    expect((await login()).status).toBe(201);
    await sentinel.master.kill('SIGSTOP');
    await promotedAtMs;

    await eventually(async () => (await login()).status === 201, BACK_WITHIN_MS);
    const { cookie } = await login();
    await sentinel.master.kill('SIGCONT');
    for (let round = 0; round < 50; round++) {
      expect(await isKnown(cookie)).toBe(true);
      await delay(20);
    }
  });

  it('leaves a master that only the Sentinels cannot reach, and agrees with a replica that starts later', async () => {
    replica = await start();
    const logins = safeLogins();
    await hideFromSentinels(sentinel.master.url);

    const safe = await logins;
    expect(await isMaster(sentinel.master.port)).toBe(true);
    const later = await start();
    try {
      for (const cookie of safe) {
        expect(await isKnown(cookie)).toBe(true);
        expect((await send(later.port, 'GET /me', { cookie })).status).toBe(200);
      }
    } finally {
      await later.close();
    }
  });

  it('loses no login that was answered more than 1.5 seconds after a planned failover', async () => {
    replica = await start();
    const logins = safeLogins();
    await failOver();

    const safe = await logins;
    await eventually(async () => !(await isMaster(sentinel.master.port)), 20_000);
    for (const cookie of safe) expect(await isKnown(cookie)).toBe(true);
  });

  it('with durability, loses no logout that was answered before, during or after a planned failover', async () => {
    replica = await start({ durability: { replicas: 2, timeoutMs: 500 } });
    const loggedOut: string[] = [];
    let isOver = false;
    const visit = async () => {
      while (!isOver) {
        const { status, cookie = '' } = await login();
        if (status !== 201) continue;
        const logout = await send(replica.port, 'POST /logout', { cookie });
        expect([201, 503]).toContain(logout.status);
        if (logout.status === 201) loggedOut.push(cookie);
      }
    };
    const visits = Array.from({ length: VISITORS }, visit);
    await eventually(() => Promise.resolve(loggedOut.length > MANY_LOGOUTS), 20_000);
    await failOver();
    await promotedAtMs;
    await eventually(async () => !(await isMaster(sentinel.master.port)), 20_000);
    const before = loggedOut.length;
    await eventually(() => Promise.resolve(loggedOut.length > before + MANY_LOGOUTS), 20_000);
    isOver = true;
    await Promise.all(visits);

    const known = [];
    for (const cookie of loggedOut) if (await isKnown(cookie)) known.push(cookie);
    expect(known).toHaveLength(0);
  });
});

async function failOver(): Promise<void> {
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
