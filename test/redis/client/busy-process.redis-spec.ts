import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import {
  createRedisClient,
  type RedisClient,
} from '../../../libs/redis-session/src/redis/client/redis-client.js';
import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';
import { signIn } from '../../support/redis/indexed-repository.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const TIMEOUT_MS = 500;

const redis = useTestRedis();
let client: RedisClient;

beforeEach(async () => {
  client = createRedisClient(process.env['TEST_REDIS_URL'] ?? '', TIMEOUT_MS).client;
  await client.connect();
});

afterEach(() => client.disconnect());

/** The process computes, and reads no answer of Redis, for longer than Redis may take. */
function compute(): void {
  // Blocks the event loop as a computation does, and leaves the processor to the other tests.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * TIMEOUT_MS);
}

describe.each([
  ['default', RedisSessionRepository],
  ['indexed', RedisIndexedSessionRepository],
])('with the %s repository', (_, Repository) => {
  const open = (connection = client) =>
    new Repository(connection, {
      commandTimeoutMs: TIMEOUT_MS,
      logger: { warn: () => undefined, error: () => undefined },
      namespace: redis.namespace,
    });

  describe.each([0, 2])('a process that computes %i turns after it asked', (turns) => {
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

    it('counts its update after that of another process', async () => {
      const created = open().createSession();
      created.setAttribute('count', 1);
      await created.save();
      const session = await open().findById(created.id);
      const other = await open().findById(created.id);
      await other?.update<number>('count', (count = 0) => count + 1);

      session?.update<number>('count', (count = 0) => count + 1);
      await busy(Promise.resolve(session?.save()));
      expect((await open().findById(created.id))?.getAttribute('count')).toBe(3);
    });
  });

  describe('a process that computes while its connection breaks', () => {
    let proxy: TcpProxy;
    let broken: RedisClient;

    beforeAll(async () => {
      const { port } = new URL(process.env['TEST_REDIS_URL'] ?? '');
      proxy = await startTcpProxy({ targetPort: Number(port) });
    });

    afterAll(() => proxy.refuse());
    afterEach(() => broken.disconnect());

    it.each([
      ['of the library', () => createRedisClient({ port: proxy.port }, TIMEOUT_MS).client],
      ['of the application', () => new Redis({ port: proxy.port, lazyConnect: true })],
    ])('with a client %s, counts an update once when its reply is lost', async (_, make) => {
      broken = make();
      await broken.connect();
      const created = open().createSession();
      created.setAttribute('count', 1);
      await created.save();
      const session = await open(broken).findById(created.id);
      let hasLost = false;
      proxy.losesReplyTo = () => !hasLost && (hasLost = true);
      broken.once('close', compute);

      const update = session?.update<number>('count', (count = 0) => count + 1);
      expect(await Promise.resolve(update)).toBe(2);
      expect((await open().findById(created.id))?.getAttribute('count')).toBe(2);
    });
  });
});
