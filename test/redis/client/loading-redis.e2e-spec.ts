import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { type LyingProxy, startLyingProxy } from '../../support/faults/lying-proxy.js';
import { VisitController } from '../../support/faults/visit-controller.js';
import { Visitor } from '../../support/http/visitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { eventually } from '../../support/waiting/eventually.js';

const DEADLINE_MS = 1000;
/** Redis says how long it may take to read its data, and it may take much less. */
const LOADING = 'loading:1\r\nloading_eta_seconds:60\r\n';
const REPLY = `$${LOADING.length}\r\n${LOADING}\r\n`;
const MANY = 8;

let redis: Awaited<ReturnType<typeof startRedis>>;
let direct: Redis;
let proxy: LyingProxy;
let app: StartedApp;

beforeEach(async () => {
  redis = await startRedis();
  direct = new Redis(redis.url);
  proxy = await startLyingProxy(redis.port);
});

afterEach(async () => {
  await app.close();
  direct.disconnect();
  proxy.stop();
  await redis.stop();
});

it.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)(
  'on %s with the %s repository, requests do not queue up for a Redis that reads its data after a restart, and work once it has',
  async (platform, repository) => {
    app = await startApp(platform, {
      controllers: [VisitController],
      options: { commandTimeoutMs: DEADLINE_MS, redis: proxy.url, repository },
    });
    const visitor = new Visitor(app.url);
    await visitor.post('/login');
    const statusOf = async () => (await visitor.get('/me')).status;
    expect(await statusOf()).toBe(200);

    proxy.answerOf = (reply, command) => (/\binfo\b/i.test(command) ? REPLY : reply);
    proxy.cut();
    await eventually(async () => (await statusOf()) === 503);
    await direct.config('RESETSTAT');
    for (let round = 0; round < MANY; round++) expect(await statusOf()).toBe(503);

    proxy.answerOf = (reply) => reply;
    await eventually(async () => (await statusOf()) === 200, 5 * DEADLINE_MS);
    expect((await callsOf('hgetall')) + (await callsOf('evalsha'))).toBeLessThan(MANY);
  },
);

async function callsOf(command: string): Promise<number> {
  const stats = await direct.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}
