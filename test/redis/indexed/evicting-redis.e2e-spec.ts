import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions, SessionRegistry } from 'nestjs-redis-session';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { send } from '../../support/http/http-client.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';

const WARNING = 'Redis may drop sessions before their time';

let redis: Awaited<ReturnType<typeof startRedis>>;
let direct: Redis;
let replica: StartedApp;
const log = new LoggedLines();

beforeEach(async () => {
  OutageController.barrier = new Barrier();
  log.clear();
  redis = await startRedis();
  direct = new Redis(redis.url);
});

afterEach(async () => {
  await replica.close();
  direct.disconnect();
  await redis.stop();
});

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  const start = async (options: RedisSessionModuleOptions) => {
    replica = await startApp(platform, {
      controllers: [OutageController],
      log,
      options: { redis: redis.url, ...options },
    });
  };

  it.each(['allkeys-lru', 'volatile-ttl'])('the start warns of the policy %s', async (policy) => {
    await direct.config('SET', 'maxmemory-policy', policy);
    await start({});
    expect(log.text).toContain(`${WARNING}: its maxmemory-policy is "${policy}".`);
  });

  it('the start does not warn of a Redis that evicts nothing', async () => {
    await start({});
    expect(log.text).not.toContain(WARNING);
  });

  it('a session whose index was evicted is found again after its next access', async () => {
    await direct.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await start({ repository: 'indexed', touchIntervalSeconds: 0 });
    const { cookie } = await send(replica.port, 'POST /login');
    const registry = replica.app.get(SessionRegistry);
    expect((await registry.list('kim')).total).toBe(1);
    const [index = ''] = await direct.keys('nest:session:index:*');
    await direct.del(index);
    expect((await registry.list('kim')).total).toBe(0);

    await send(replica.port, 'GET /me', { cookie });
    await eventually(async () => (await registry.list('kim')).total === 1);
    expect(await registry.expireAll('kim')).toBe(1);
    expect((await send(replica.port, 'GET /me', { cookie })).status).toBe(401);
  });
});
