import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { send } from '../../support/http/http-client.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';

const REQUESTS = 40;
const BEGUN = 'one more line follows';
const ENDED = 'The session store works again.';

let redis: Awaited<ReturnType<typeof startRedis>>;
let direct: Redis;
let replica: StartedApp;
let log: LoggedLines;

beforeEach(async () => {
  OutageController.barrier = new Barrier();
  log = new LoggedLines();
  redis = await startRedis();
  direct = new Redis(redis.url);
});

afterEach(async () => {
  await redis.kill('SIGCONT');
  await replica.close();
  direct.disconnect();
  await redis.stop();
});

const FAULTS = {
  'is full': {
    begin: () => direct.config('SET', 'maxmemory', '1'),
    end: () => direct.config('SET', 'maxmemory', '0'),
    reason: 'OOM',
  },
  freezes: {
    begin: () => redis.kill('SIGSTOP'),
    end: () => redis.kill('SIGCONT'),
    reason: 'no answer within 200 ms',
  },
};

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  it.each(Object.entries(FAULTS))(
    'when Redis %s, the log tells once that it begins, and once how many requests failed',
    async (_, { begin, end, reason }) => {
      replica = await startApp(platform, {
        controllers: [OutageController],
        log,
        options: { commandTimeoutMs: 200, redis: redis.url },
      });
      const save = async () => (await send(replica.port, 'POST /json')).status;
      const linesWith = (text: string) => log.lines.filter((line) => line.includes(text));
      expect(await save()).toBe(201);

      await begin();
      const statuses = await Promise.all(Array.from({ length: REQUESTS }, save));
      expect(statuses).toEqual(Array(REQUESTS).fill(503));
      expect(linesWith(reason)).toEqual([expect.stringContaining(BEGUN)]);

      await end();
      await eventually(async () => (await save()) === 201 && linesWith(ENDED).length > 0, 15_000);
      const ended = linesWith(ENDED).filter((line) => line.includes(reason));
      expect(ended).toHaveLength(1);
      expect(Number(/: (\d+) \(/.exec(ended[0] ?? '')?.[1])).toBeGreaterThanOrEqual(REQUESTS);
      expect(linesWith(BEGUN)).toHaveLength(linesWith(ENDED).length);
    },
  );
});
