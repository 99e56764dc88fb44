import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomInt } from 'node:crypto';
import { Barrier } from '../../support/waiting/barrier.js';
import { eightAtATime } from '../../support/waiting/eight-at-a-time.js';
import { send } from '../../support/http/http-client.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

/** With six requests each on both platforms, 5,040 requests. */
const SESSIONS = 420;

const redis = useTestRedis();
let replica: StartedApp;

const TEXTS = [
  '',
  '0',
  '-1',
  '1800',
  '9'.repeat(30),
  'NaN',
  'null',
  '[]',
  '{}',
  '"',
  '"x',
  '{"__proto__":{"a":1}}',
  '{"authentication":{"principal":null}}',
  '{"authentication":[]}',
  '{"authentication":{"name":7,"authorities":["USER"]}}',
  '{"authentication":{"name":"kim","authorities":"USER"}}',
  '{"authentication":{"name":"kim","authorities":[null,7]}}',
  '{"authentication":{"name":"kim","authorities":[],"kind":"x","authenticatedAt":"y"}}',
  '"123456:kim"',
  '\0\0',
  'x'.repeat(20_000),
];
const FIELDS = [
  'creationTime',
  'lastAccessedTime',
  'maxInactiveInterval',
  'version',
  'over',
  'ended',
  'bucket',
  'indexExpiry',
  'index:principal',
  'indexValue:principal',
  'sessionAttr:theme',
  'sessionAttr:SECURITY_CONTEXT',
  'sessionAttr:SESSION_CLIENT',
  'sessionAttr:REMEMBER_ME',
  'sessionAttr:SAVED_REQUESTS',
  'sessionAttr:SESSION_COOKIE',
  'sessionAttr:',
  'sessionAttr:__proto__',
  'constructor',
];

const pick = <T>(values: readonly T[]): T => values[randomInt(values.length)] as T;
const garbage = () => (randomInt(4) === 0 ? randomBytes(randomInt(40)) : pick(TEXTS));

/** Makes some fields of the hash garbage, or the whole key something else. */
async function spoil(key: string): Promise<string[]> {
  const { client } = redis;
  if (randomInt(20) === 0) {
    await client.multi().del(key).set(key, garbage()).exec();
    return ['string'];
  }
  if (randomInt(20) === 0) await client.del(key);
  const spoilt = Array.from({ length: randomInt(1, 5) }, () => pick(FIELDS));
  for (const field of spoilt) await client.hset(key, field, garbage());
  if (randomInt(3) === 0) await client.hdel(key, pick(FIELDS));
  return spoilt;
}

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository', (platform, repository) => {
  beforeAll(async () => {
    OutageController.barrier = new Barrier();
    replica = await startApp(platform, {
      controllers: [OutageController],
      options: {
        namespace: redis.namespace,
        redis: process.env['TEST_REDIS_URL'] ?? '',
        repository,
        touchIntervalSeconds: 0,
      },
    });
  });

  afterAll(() => replica.close());

  it('a session full of garbage never gets a 500', async () => {
    const lines = ['GET /read', 'GET /me', 'POST /json', 'POST /awaited-update'] as const;
    const failed: unknown[] = [];
    await eightAtATime(Array.from({ length: SESSIONS }), async () => {
      const { cookie = '' } = await send(replica.port, 'POST /login');
      const end = cookie.slice('SESSION='.length + 8);
      const [key = ''] = await redis.client.keys(`${redis.namespace}*${end}`);
      expect(key).not.toBe('');
      const spoilt = await spoil(key);
      for (const line of [...lines, 'POST /login', 'POST /logout'] as const) {
        const { status } = await send(replica.port, line, { cookie });
        if (status === 500) failed.push({ line, spoilt, hash: await redis.client.hgetall(key) });
      }
      await redis.client.del(key);
    });
    expect(failed).toEqual([]);
  });
});
