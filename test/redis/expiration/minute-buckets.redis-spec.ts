import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { missingFlags } from '../../../libs/redis-session/src/redis/expiration/keyspace-events.js';
import { MinuteBucketExpirationStore } from '../../../libs/redis-session/src/redis/expiration/minute-bucket-expiration-store.js';
import { type RedisIndexedSessionRepositoryOptions } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.options.js';
import { createRedisClient } from '../../../libs/redis-session/src/redis/client/redis-client.js';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { eventually } from '../../support/waiting/eventually.js';
import { IndexedRepository } from '../../support/redis/indexed-repository.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startTcpProxy } from '../../support/faults/tcp-proxy.js';

const MINUTE_MS = 60_000;
let server: RedisServer;
let client: Redis;
let test: IndexedRepository;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});

afterAll(async () => {
  await client.quit();
  await server.stop();
});

const optionsOf = (options: Partial<RedisIndexedSessionRepositoryOptions> = {}) => ({
  namespace: 'spring:session',
  eventDelivery: 'once' as const,
  expirationStore: 'minute-buckets' as const,
  cleanupCron: false as const,
  ...options,
});

const repository = (options: Partial<RedisIndexedSessionRepositoryOptions> = {}) =>
  new IndexedRepository(client, optionsOf(options));

/** A session of alice that has ended after a second. @returns its id */
async function openShort(): Promise<string> {
  test.nowMs = Date.now();
  const session = await test.open('alice');
  session.maxInactiveIntervalSeconds = 1;
  await session.save();
  await eventually(async () => (await client.exists(shadowOf(session.id))) === 0);
  return session.id;
}

beforeEach(async () => {
  await client.flushall();
  await client.config('SET', 'notify-keyspace-events', '');
  test = repository();
});

function storeOf({ store }: IndexedRepository): MinuteBucketExpirationStore {
  if (store.expiration instanceof MinuteBucketExpirationStore) return store.expiration;
  throw new Error('Not minute buckets.');
}

const shadowOf = (id: string) => `spring:session:sessions:expires:${id}`;
const bucketOf = (expiryMs: number) =>
  `spring:session:expirations:${Math.floor((expiryMs + MINUTE_MS) / MINUTE_MS) * MINUTE_MS}`;
const memberOf = (id: string) => `"expires:${id}"`;

async function events(): Promise<string[]> {
  const entries = await client.xrange('spring:session:events', '-', '+');
  return entries.map(([, fields]) => `${fields[1]} ${fields[3]}`);
}

/** Since the statistics were reset. */
async function refusedCommands(): Promise<number> {
  const counts = (await client.info('commandstats')).matchAll(/rejected_calls=(\d+)/g);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('MinuteBucketExpirationStore', () => {
  it('writes the keys of Spring, with its types, members and times to live', async () => {
    const { id } = await test.open('alice');
    const expiryMs = test.nowMs + 1_800_000;
    expect(await client.type(`spring:session:sessions:${id}`)).toBe('hash');
    expect(await client.pexpiretime(`spring:session:sessions:${id}`)).toBe(expiryMs + 300_000);
    expect(await client.get(shadowOf(id))).toBe('');
    expect(await client.pexpiretime(shadowOf(id))).toBe(expiryMs);
    expect(await client.smembers(bucketOf(expiryMs))).toEqual([memberOf(id)]);
    const bucketLifeMs = await client.pttl(bucketOf(expiryMs));
    expect(bucketLifeMs).toBeGreaterThan(2_090_000);
    expect(bucketLifeMs).toBeLessThanOrEqual(2_100_000);
  });

  it('writes fields that a JSON serializer of Spring can read, with no hash tag in any key', async () => {
    const { id } = await test.open('"alice": ä');
    const fields = await client.hgetall(`spring:session:sessions:${id}`);
    for (const text of Object.values(fields))
      expect(() => JSON.parse(text) as unknown).not.toThrow();
    expect(fields).toMatchObject({
      creationTime: String(test.nowMs),
      lastAccessedTime: String(test.nowMs),
      maxInactiveInterval: '1800',
    });
    const shared = (await client.keys('*')).filter((key) => /sessions:|expirations:/.test(key));
    expect(shared).toHaveLength(3);
    expect(shared.join()).not.toMatch(/[{}]/);
  });

  it('reads what another application has written into a large session, even one with a version', async () => {
    const session = await test.open('alice');
    session.setAttribute('large', 'x'.repeat(5000));
    await session.save();
    const key = `spring:session:sessions:${session.id}`;
    const countAfterWriting = async (count: string, fields: Record<string, string>) => {
      await client.hset(key, { 'sessionAttr:count': count, ...fields });
      const read = await test.repository.findById(session.id, { accessTimeMs: test.nowMs });
      return read?.getAttribute('count');
    };
    expect(await countAfterWriting('1', {})).toBe(1);
    expect(await client.hexists(key, 'version')).toBe(0);
    expect(await countAfterWriting('2', { version: '7' })).toBe(2);
    expect(await countAfterWriting('3', {})).toBe(3);
  });

  it('puts an expiry on the full minute into the bucket of the next one', async () => {
    test.nowMs = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS;
    const { id } = await test.open();
    const bucket = `spring:session:expirations:${test.nowMs + 1_800_000 + MINUTE_MS}`;
    expect(await client.smembers(bucket)).toEqual([memberOf(id)]);
  });

  it('moves the session to another bucket when it is used', async () => {
    const { id } = await test.open();
    const first = bucketOf(test.nowMs + 1_800_000);
    test.pass(120);
    await test.repository.findById(id, { accessTimeMs: test.nowMs });
    expect(await client.exists(first)).toBe(0);
    expect(await client.smembers(bucketOf(test.nowMs + 1_800_000))).toEqual([memberOf(id)]);
    expect(await client.pexpiretime(shadowOf(id))).toBe(test.nowMs + 1_800_000);
  });

  it('follows the id in all keys', async () => {
    const session = await test.open('alice');
    const previousId = session.id;
    session.changeSessionId();
    await session.save();
    expect(await client.exists(shadowOf(previousId))).toBe(0);
    expect(await client.exists(shadowOf(session.id))).toBe(1);
    expect(await client.smembers(bucketOf(test.nowMs + 1_800_000))).toEqual([memberOf(session.id)]);
  });

  it('keeps a session that never expires', async () => {
    const session = await test.open();
    const bucket = bucketOf(test.nowMs + 1_800_000);
    session.maxInactiveIntervalSeconds = -1;
    await session.save();
    expect(await client.pttl(`spring:session:sessions:${session.id}`)).toBe(-1);
    expect(await client.pttl(shadowOf(session.id))).toBe(-1);
    expect(await client.exists(bucket)).toBe(0);
  });

  it.each(['on-change', 'always'] as const)(
    'leaves nothing at logout, saving %s',
    async (saveMode) => {
      test = repository({ saveMode });
      const session = await test.open('alice');
      await session.invalidate();
      expect(await client.keys('*')).toEqual(['spring:session:events']);
    },
  );

  it('does not revive a session that was deleted while a request used it', async () => {
    const session = await test.open('alice');
    const copy = await test.read(session.id);
    await session.invalidate();
    copy.setAttribute('a', 2);
    await expect(copy.save()).rejects.toThrow('deleted');
    expect(await client.keys('*')).toEqual(['spring:session:events']);
  });

  it('touches the sessions of this minute, and drops the bucket', async () => {
    const { id } = await test.open();
    test.nowMs = Math.floor((test.nowMs + 1_800_000 + MINUTE_MS) / MINUTE_MS) * MINUTE_MS + 5;
    await storeOf(test).cleanUp();
    expect(await client.keys('spring:session:expirations:*')).toEqual([]);
    expect(await client.exists(shadowOf(id))).toBe(1);
  });

  it('leaves for the next look what comes into the buckets meanwhile', async () => {
    const buckets = [0, 1].map((back) => bucketOf(test.nowMs - (back + 1) * MINUTE_MS));
    await client.sadd(buckets[0] ?? '', memberOf('early'));
    const busy = client.duplicate();
    const whileTouched = async (key: string) => {
      for (const bucket of buckets) await client.sadd(bucket, memberOf('late'));
      return client.exists(key);
    };
    try {
      await storeOf(
        new IndexedRepository(Object.assign(busy, { exists: whileTouched }), optionsOf()),
      ).cleanUp();
      expect(await Promise.all(buckets.map((bucket) => client.smembers(bucket)))).toEqual([
        [memberOf('late')],
        [memberOf('late')],
      ]);
    } finally {
      busy.disconnect();
    }
    await storeOf(test).cleanUp();
    expect(await client.keys('spring:session:expirations:*')).toEqual([]);
  });

  it('looks at all buckets of the last five minutes when the minute turns', async () => {
    const oldest = bucketOf(test.nowMs - 6 * MINUTE_MS);
    await client.sadd(oldest, memberOf('early'));
    let reading = 0;
    const turning = repository({ clock: () => test.nowMs + (reading++ && MINUTE_MS) });
    await storeOf(turning).cleanUp();
    expect(await client.exists(oldest)).toBe(0);
  });
});

describe('when Redis reports the end of a shadow key', () => {
  let replicas: IndexedRepository[];

  beforeEach(async () => {
    replicas = [test, repository()];
    for (const replica of replicas) await storeOf(replica).start();
  });

  afterEach(async () => {
    for (const replica of replicas) await storeOf(replica).stop();
  });

  it('does so by its cron expression', async () => {
    const replica = repository({ cleanupCron: '* * * * * *' });
    const bucket = `spring:session:expirations:${Math.floor(replica.nowMs / MINUTE_MS) * MINUTE_MS}`;
    await client.sadd(bucket, memberOf('ended'));
    const store = storeOf(replica);
    await store.start();
    await eventually(async () => (await client.exists(bucket)) === 0);
    await store.stop();
  });

  it('records one event, removes the session from the index, and leaves the hash to other readers', async () => {
    const session = await test.open('alice');
    session.maxInactiveIntervalSeconds = 1;
    await session.save();
    await eventually(async () => (await client.exists(shadowOf(session.id))) === 0);
    await eventually(async () => (await events()).length === 2);
    await eventually(async () => (await test.entryCount('alice')) === 0);
    expect(await events()).toEqual([`created ${session.id}`, `expired ${session.id}`]);
    expect(await client.exists(`spring:session:sessions:${session.id}`)).toBe(1);
    expect(await test.repository.findById(session.id)).toBeUndefined();
  });

  it('records once what ended while it listened to nobody: before the start, and while the connection was broken', async () => {
    for (const replica of replicas.splice(0)) await storeOf(replica).stop();
    const proxy = await startTcpProxy({ targetPort: server.port });
    const cut = new Redis(proxy.port, { retryStrategy: () => 20 });
    cut.on('error', () => undefined);
    const late = new IndexedRepository(cut, optionsOf({ clock: Date.now }));
    try {
      const before = await openShort();
      await storeOf(late).start();
      await eventually(async () => (await events()).includes(`expired ${before}`));
      await eventually(async () => (await test.entryCount('alice')) === 0);

      await proxy.refuse();
      const meanwhile = await openShort();
      await proxy.accept();
      await eventually(async () => (await events()).includes(`expired ${meanwhile}`));
      await storeOf(late).cleanUp();
      expect((await events()).filter((event) => event.startsWith('expired'))).toHaveLength(2);
    } finally {
      await storeOf(late).stop();
      cut.disconnect();
      await proxy.refuse();
    }
  });

  it('hears of ends again when the Redis behind the connection has forgotten its settings', async () => {
    for (const replica of replicas.splice(0)) await storeOf(replica).stop();
    const proxy = await startTcpProxy({ targetPort: server.port });
    const cut = new Redis(proxy.port, { retryStrategy: () => 20 });
    cut.on('error', () => undefined);
    const listening = new IndexedRepository(cut, optionsOf({ clock: Date.now }));
    try {
      await storeOf(listening).start();
      await proxy.refuse();
      await client.config('SET', 'notify-keyspace-events', '');
      await Promise.all([once(cut, 'ready'), proxy.accept()]);
      const ended = await openShort();
      await eventually(async () => (await events()).includes(`expired ${ended}`));
    } finally {
      await storeOf(listening).stop();
      cut.disconnect();
      await proxy.refuse();
    }
  });

  it('hears of ends again when its connection is open and swallows everything', async () => {
    for (const replica of replicas.splice(0)) await storeOf(replica).stop();
    const proxy = await startTcpProxy({ targetPort: server.port });
    // As the module opens its connections, but for the shorter time.
    const { client: halfOpen } = createRedisClient(`redis://127.0.0.1:${proxy.port}`, 500);
    const listening = new IndexedRepository(halfOpen, optionsOf({ clock: Date.now }));
    try {
      await halfOpen.connect();
      await storeOf(listening).start();
      const newestSubscriber = async () => {
        const list = String(await client.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
        return Math.max(0, ...[...list.matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id)));
      };
      const first = await newestSubscriber();
      proxy.swallow();
      await eventually(async () => (await newestSubscriber()) > first);
      const ended = await openShort();
      await eventually(async () => (await events()).includes(`expired ${ended}`));
    } finally {
      await storeOf(listening).stop();
      halfOpen.disconnect();
      await proxy.refuse();
    }
  });

  it('warns once of the ends that it cannot report while Redis refuses them', async () => {
    const sessions = [await test.open('alice'), await test.open('alice'), await test.open('alice')];
    await client.config('RESETSTAT');
    await client.call('ACL', 'SETUSER', 'default', '-@scripting');
    try {
      await client.del(...sessions.map(({ id }) => shadowOf(id)));
      const attempts = sessions.length * replicas.length;
      await eventually(async () => (await refusedCommands()) === attempts);
      await storeOf(test).stop();
      expect(test.warnings).toEqual([
        expect.stringContaining('Cannot report the end of a session: Redis failed.'),
      ]);
    } finally {
      await client.call('ACL', 'SETUSER', 'default', '+@scripting');
    }
  });

  it('finds by the cleanup what ended in the last minutes and was not reported', async () => {
    for (const replica of replicas.splice(0)) await storeOf(replica).stop();
    const id = await openShort();
    test.pass(180);
    await storeOf(test).cleanUp();
    expect(await events()).toContain(`expired ${id}`);
    expect(await client.keys('spring:session:expirations:*')).toEqual([]);
  });

  it('says that notifications are off where it is not to set them', async () => {
    await client.config('SET', 'notify-keyspace-events', 'K$');
    const modest = repository({ configuresNotifications: false });
    await storeOf(modest).start();
    await storeOf(modest).stop();
    expect(modest.warnings).toEqual([
      expect.stringContaining('notify-keyspace-events lacks "Egx"'),
    ]);
    const right = repository();
    await storeOf(right).start();
    await storeOf(right).stop();
    expect(right.warnings).toEqual([]);
  });

  it('names the option when Redis refuses CONFIG, and does without it', async () => {
    await client.call('ACL', 'SETUSER', 'modest', 'on', 'nopass', '~*', '&*', '+@all', '-config');
    const refused = new Redis(server.url, { username: 'modest', password: 'any' });
    try {
      const strict = new IndexedRepository(refused, optionsOf());
      await expect(storeOf(strict).start()).rejects.toThrow(
        'Redis refuses the command CONFIG. Set it to "Egx" on the server, and indexed.configuresNotifications to false.',
      );
      const modest = new IndexedRepository(refused, optionsOf({ configuresNotifications: false }));
      await storeOf(modest).start();
      await storeOf(modest).stop();
      expect(modest.warnings).toEqual([]);
    } finally {
      refused.disconnect();
    }
  });

  it('records the deletion by a Spring application', async () => {
    const { id } = await test.open('alice');
    await client.del(shadowOf(id));
    await eventually(async () => (await events()).includes(`deleted ${id}`));
    await eventually(async () => (await test.entryCount('alice')) === 0);
    expect(await test.repository.findById(id)).toBeUndefined();
  });

  it('sets the flags of notify-keyspace-events that are missing', async () => {
    const [, flags] = await client.config('GET', 'notify-keyspace-events');
    expect(flags?.split('').sort().join('')).toBe('Egx');
  });

  it('leaves notify-keyspace-events alone when it is told to', async () => {
    await client.config('SET', 'notify-keyspace-events', 'K$');
    const modest = storeOf(repository({ configuresNotifications: false }));
    await modest.start();
    await modest.stop();
    const [, flags] = await client.config('GET', 'notify-keyspace-events');
    expect(flags?.split('').sort().join('')).toBe('$K');
  });
});

describe('missingFlags', () => {
  // EnableRedisKeyspaceNotificationsInitializerTests
  it.each([
    ['', 'Egx'],
    ['A', 'E'],
    ['E', 'gx'],
    ['K', 'Egx'],
    ['AE', ''],
    ['AK', 'E'],
    ['EK', 'gx'],
    ['Eg', 'x'],
    ['E$', 'gx'],
    ['Kg', 'Ex'],
    ['AEK', ''],
  ])('of %j are %j', (flags, missing) => {
    expect(missingFlags(flags)).toBe(missing);
  });
});
