import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { send } from '../../support/http/http-client.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';

const DEADLINE_MS = 1000;
/** Requests work again so long after the first one has begun: its deadline, and a second. */
const BACK_WITHIN_MS = DEADLINE_MS + 1000;

let redis: Awaited<ReturnType<typeof startRedis>>;
let proxy: TcpProxy;
let admin: Redis;
let replica: StartedApp;

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startTcpProxy({ targetPort: redis.port });
  admin = new Redis(redis.url);
  OutageController.barrier = new Barrier();
});

afterAll(async () => {
  await proxy.refuse();
  admin.disconnect();
  await redis.stop();
});

afterEach(() => replica.close());

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository', (platform, repository) => {
  const start = async () => {
    replica = await startApp(platform, {
      controllers: [OutageController],
      options: {
        commandTimeoutMs: DEADLINE_MS,
        redis: `redis://127.0.0.1:${proxy.port}`,
        repository,
      },
    });
  };
  const connectionCount = async () =>
    Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
  const statusOf = async (line: 'POST /json' | 'POST /login') =>
    (await send(replica.port, line)).status;

  it('leaves a connection that swallows everything within a second of the deadline, and saves on another one', async () => {
    await start();
    expect(await statusOf('POST /login')).toBe(201);
    const before = await connectionCount();
    proxy.swallow();

    await eventually(async () => (await statusOf('POST /json')) === 201, BACK_WITHIN_MS);
    expect(await connectionCount()).toBeGreaterThan(before);
  });

  it('answers every request although connections break again and again', async () => {
    await start();
    const statuses: number[] = [];
    for (let round = 0; round < 20; round++) {
      proxy.cut();
      statuses.push(...(await Promise.all([statusOf('POST /json'), statusOf('POST /login')])));
    }
    expect(statuses).toEqual(Array(40).fill(201));
  });
});
