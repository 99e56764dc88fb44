import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { Barrier } from '../../support/waiting/barrier.js';
import { send } from '../../support/http/http-client.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { type RedisCluster, startRedisCluster } from '../../support/redis/redis-cluster.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';

/** Longer than 16 redirections of ioredis, and shorter than the deadline. */
const HALF_MOVED_MS = 2500;
const DEADLINE_MS = 5000;

let cluster: RedisCluster;
let masters: Redis[];
let replica: StartedApp;

beforeAll(async () => {
  OutageController.barrier = new Barrier();
  cluster = await startRedisCluster();
  masters = cluster.nodes.slice(0, 3).map(({ url }) => new Redis(url));
});

afterAll(async () => {
  for (const master of masters) master.disconnect();
  await cluster.stop();
});

afterEach(() => replica.close());

/** The slot of a session: its hash moves first, everything else `restMs` later. */
async function moveSlotOfSession(restMs: number): Promise<void> {
  const found = await Promise.all(masters.map((master) => master.keys('*:session:*')));
  const source = masters.find((_, index) => found[index]?.length);
  const target = masters.find((master) => master !== source);
  const key = found.flat()[0] ?? '';
  if (!source || !target) throw new Error('There is no session.');
  const slot = await source.cluster('KEYSLOT', key);
  const [sourceId, targetId] = await Promise.all(
    [source, target].map((node) => node.call('CLUSTER', 'MYID') as Promise<string>),
  );
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId ?? '');
  await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId ?? '');
  const move = (keys: string[]) =>
    source.call('MIGRATE', '127.0.0.1', target.options.port ?? 0, '', 0, 5000, 'KEYS', ...keys);
  const keysOfSlot = async () =>
    (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 1000)) as string[];
  await move([key]);
  await delay(restMs);
  await move(await keysOfSlot());
  for (const node of masters) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId ?? '');
}

describe('on Fastify with the indexed repository', () => {
  it('a logout waits until all keys of its slot have moved', async () => {
    replica = await startApp('fastify', {
      controllers: [OutageController],
      options: {
        commandTimeoutMs: DEADLINE_MS,
        redis: { nodes: cluster.addresses },
        repository: 'indexed',
        touchIntervalSeconds: 60,
      },
    });
    for (const master of masters) await master.flushall();
    const { cookie } = await send(replica.port, 'POST /login');
    expect((await send(replica.port, 'GET /me', { cookie })).status).toBe(200);

    const moved = moveSlotOfSession(HALF_MOVED_MS);
    await delay(100);
    const logout = await send(replica.port, 'POST /logout', { cookie });
    await moved;

    expect(logout.status).toBe(201);
    expect((await send(replica.port, 'GET /me', { cookie })).status).toBe(401);
  });
});
