import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Barrier } from '../../support/waiting/barrier.js';
import { send } from '../../support/http/http-client.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { type RedisCluster, startRedisCluster } from '../../support/redis/redis-cluster.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';

const ROUNDS = 20;

let cluster: RedisCluster;
let direct: Redis[];
let replica: StartedApp;

beforeAll(async () => {
  OutageController.barrier = new Barrier();
  cluster = await startRedisCluster();
  direct = cluster.nodes.map(({ url }) => new Redis(url));
});

afterAll(async () => {
  for (const client of direct) client.disconnect();
  await cluster.stop();
});

afterEach(() => replica.close());

describe.each([
  ['express', 'default'],
  ['express', 'indexed'],
  ['fastify', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository', (platform, repository) => {
  it.each([
    ['one node', () => direct.slice(0, 1)],
    ['all nodes', () => direct],
  ] as const)(
    'answers every request although the connections to %s of a cluster break again and again',
    async (_, broken) => {
      replica = await startApp(platform, {
        controllers: [OutageController],
        options: { redis: { nodes: cluster.addresses }, repository },
      });
      const statusOf = async () => (await send(replica.port, 'POST /login')).status;
      expect(await statusOf()).toBe(201);

      const statuses: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all(broken().map((node) => node.call('CLIENT', 'KILL', 'TYPE', 'normal')));
        statuses.push(...(await Promise.all(Array.from({ length: 5 }, statusOf))));
      }
      expect(statuses).toEqual(Array(5 * ROUNDS).fill(201));
    },
  );
});
