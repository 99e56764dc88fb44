import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { SortedSetExpirationStore } from '../../../libs/redis-session/src/redis/expiration/sorted-set-expiration-store.js';
import { IndexedRepository } from '../../support/redis/indexed-repository.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
let namespace: string;
let test: IndexedRepository;

function workerOf({ store }: IndexedRepository): SortedSetExpirationStore {
  if (store.expiration instanceof SortedSetExpirationStore) return store.expiration;
  throw new Error('Not a sorted set.');
}

function replica(): IndexedRepository {
  const other = new IndexedRepository(redis.client, { namespace, eventDelivery: 'once' });
  other.nowMs = test.nowMs;
  return other;
}

async function dueMomentOf(id: string): Promise<string | null> {
  const { keys } = test.store;
  return redis.client.zscore(keys.expirations(keys.partitionOf(id)), id);
}

/** Types of all events, with the ids. */
async function events(): Promise<string[]> {
  const { keys } = test.store;
  const streams = await Promise.all(
    keys.partitions.map((partition) => redis.client.xrange(keys.events(partition), '-', '+')),
  );
  return streams.flat().map(([, fields]) => `${fields[1]} ${fields[3]}`);
}

const keysLeft = async () =>
  (await redis.client.keys(`${namespace}:*`)).filter((key) => !key.endsWith(':events'));

beforeEach(() => {
  namespace = `${redis.namespace}:${randomUUID()}`;
  test = new IndexedRepository(redis.client, { namespace, eventDelivery: 'once' });
});

describe('SortedSetExpirationStore', () => {
  it('schedules a session for its expiry, and not one that never expires', async () => {
    const session = await test.open('alice');
    expect(Number(await dueMomentOf(session.id))).toBe(test.nowMs + 1_800_000);
    session.maxInactiveIntervalSeconds = -1;
    await session.save();
    expect(await dueMomentOf(session.id)).toBeNull();
    session.maxInactiveIntervalSeconds = 10;
    await session.save();
    expect(Number(await dueMomentOf(session.id))).toBe(test.nowMs + 10_000);
  });

  it('moves nothing when a session is used or its attributes change', async () => {
    const { id } = await test.open('alice');
    const due = await dueMomentOf(id);
    test.pass(60);
    await test.repository.findById(id, { accessTimeMs: test.nowMs });
    const session = await test.read(id);
    session.setAttribute('a', 2);
    await session.save();
    expect(await dueMomentOf(id)).toBe(due);
  });

  it('follows the id', async () => {
    const session = await test.open('alice');
    const previousId = session.id;
    session.changeSessionId();
    await session.save();
    expect(await dueMomentOf(previousId)).toBeNull();
    expect(await dueMomentOf(session.id)).not.toBeNull();
  });

  it('ends a session that nobody looks at, with all that belongs to it', async () => {
    const { id } = await test.open('alice');
    test.pass(1800);
    expect(await workerOf(test).cleanUp()).toBe(1);
    expect(await keysLeft()).toEqual([]);
    expect(await events()).toEqual([`created ${id}`, `expired ${id}`]);
  });

  it('schedules a session anew that was used meanwhile, and moves its index entries', async () => {
    const { id } = await test.open('alice');
    test.pass(1700);
    await test.repository.findById(id, { accessTimeMs: test.nowMs });
    test.pass(200);
    expect(await workerOf(test).cleanUp()).toBe(0);
    const expiry = test.nowMs - 200_000 + 1_800_000;
    expect(Number(await dueMomentOf(id))).toBe(expiry);
    const key = test.store.keys.index('principal', 'alice');
    expect((await redis.client.zrange(key, '0', '-1', 'WITHSCORES'))[1]).toBe(String(expiry));
    expect(await test.idsOf('alice')).toEqual([id]);
  });

  it('leaves a claimed session to its worker until the lease has ended', async () => {
    const { id } = await test.open('alice');
    test.pass(1800);
    const partition = test.store.keys.partitionOf(id);
    expect(await workerOf(test).claim(partition)).toEqual([id]);

    const other = replica();
    expect(await workerOf(other).claim(partition)).toEqual([]);
    other.pass(29);
    expect(await workerOf(other).cleanUp()).toBe(0);
    other.pass(2);
    expect(await workerOf(other).cleanUp()).toBe(1);
    expect(await events()).toEqual([`created ${id}`, `expired ${id}`]);
  });

  it('reports each end once when several workers are at it', async () => {
    for (let i = 0; i < 50; i++) await test.open('alice');
    test.pass(1800);
    const workers = [test, replica(), replica()].map(workerOf);
    const ended = await Promise.all(workers.map((worker) => worker.cleanUp()));
    expect(ended.reduce((sum, count) => sum + count)).toBe(50);
    const expired = (await events()).filter((event) => event.startsWith('expired'));
    expect(new Set(expired).size).toBe(50);
    expect(expired).toHaveLength(50);
  });

  it('claims bounded batches, the oldest first, and works off a backlog of days', async () => {
    const single = new IndexedRepository(redis.client, { namespace, partitions: 1 });
    const ids = [];
    for (let i = 0; i < 120; i++) {
      ids.push((await single.open()).id);
      single.pass(1);
    }
    single.pass(3 * 86_400);
    const [partition = ''] = single.store.keys.partitions;
    const claimed = await workerOf(single).claim(partition);
    expect(claimed).toEqual(ids.slice(0, 100));
    expect(await workerOf(single).cleanUp()).toBe(20);
    single.pass(31);
    expect(await workerOf(single).cleanUp()).toBe(100);
    expect(await keysLeft()).toEqual([]);
  });

  it('reports the end of a session even when its data is gone', async () => {
    const { id } = await test.open('alice');
    await redis.client.del(test.store.keys.session(id));
    test.pass(1800);
    await workerOf(test).cleanUp();
    expect(await events()).toEqual([`created ${id}`, `expired ${id}`]);
  });

  it('does not end a session that was saved after it was claimed', async () => {
    const { id } = await test.open('alice');
    test.pass(1799);
    const copy = await test.read(id);
    const other = replica();
    other.pass(2);
    await workerOf(other).claim(test.store.keys.partitionOf(id));
    copy.touch(test.nowMs);
    copy.setAttribute('a', 2);
    await copy.save();
    other.pass(31);
    expect(await workerOf(other).cleanUp()).toBe(0);
    expect((await test.read(id)).getAttribute('a')).toBe(2);
  });

  describe('when it runs', () => {
    afterEach(() => workerOf(test).stop());

    it('ends sessions by itself', async () => {
      const { id } = await test.open('alice');
      test.pass(1800);
      await workerOf(test).start();
      while ((await events()).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await events()).toContain(`expired ${id}`);
    });
  });
});

describe('a session that has ended', () => {
  it('stays in Redis for its event, for no longer than a day, and is not found', async () => {
    const { id } = await test.open('alice');
    const key = test.store.keys.session(id);
    expect(await redis.client.pexpiretime(key)).toBe(test.nowMs + (1800 + 86_400) * 1000);
    test.pass(1800);
    expect(await test.repository.findById(id)).toBeUndefined();
    expect(await redis.client.exists(key)).toBe(1);
  });

  it('is reported as deleted, not as expired, after a logout', async () => {
    const session = await test.open('alice');
    await session.invalidate();
    test.pass(1800);
    expect(await workerOf(test).cleanUp()).toBe(0);
    expect(await events()).toEqual([`created ${session.id}`, `deleted ${session.id}`]);
  });
});
