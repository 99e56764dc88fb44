import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import {
  createRedisClient,
  type RedisClient,
} from '../../../libs/redis-session/src/redis/client/redis-client.js';
import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { signIn } from '../../support/redis/indexed-repository.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const TIMEOUT_MS = 200;

const redis = useTestRedis();
let client: RedisClient;

beforeEach(async () => {
  client = createRedisClient(process.env['TEST_REDIS_URL'] ?? '', TIMEOUT_MS).client;
  await client.connect();
});

afterEach(() => client.disconnect());

/** The process computes, and reads no answer of Redis, for longer than Redis may take. */
function compute(): void {
  const endMs = performance.now() + 3 * TIMEOUT_MS;
  while (performance.now() < endMs);
}

describe.each([
  ['default', RedisSessionRepository],
  ['indexed', RedisIndexedSessionRepository],
])('with the %s repository', (_, Repository) => {
  const open = () =>
    new Repository(client, { commandTimeoutMs: TIMEOUT_MS, namespace: redis.namespace });

  describe.each([0, 1, 2, 3])('a process that computes %i turns after it asked', (turns) => {
    const busy = async <T>(operation: Promise<T>): Promise<T> => {
      for (let turn = 0; turn < turns; turn++) await endOfTurn();
      compute();
      return operation;
    };

    it('reads and saves all the same', async () => {
      const repository = open();
      const session = repository.createSession();
      session.setAttribute('count', 1);
      await busy(session.save());
      session.setAttribute('count', 2);
      await busy(session.save());
      signIn(session, 'anna');
      await busy(session.save());

      const found = await busy(repository.findById(session.id));
      expect(found?.getAttribute('count')).toBe(2);
      await busy(repository.deleteById(session.id));
      expect(await repository.findById(session.id)).toBeUndefined();
    });
  });
});
