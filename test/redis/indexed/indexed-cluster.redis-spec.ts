import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { BroadcastEventSource } from '../../../libs/redis-session/src/redis/events/broadcast-event-source.js';
import { OnceEventSource } from '../../../libs/redis-session/src/redis/events/once-event-source.js';
import { type SessionEventSourceInput } from '../../../libs/redis-session/src/redis/events/session-event-source.js';
import { SortedSetExpirationStore } from '../../../libs/redis-session/src/redis/expiration/sorted-set-expiration-store.js';
import { jsonSessionCodec } from '../../../libs/redis-session/src/session/attributes/codec.js';
import { IndexedRepository, signIn } from '../../support/redis/indexed-repository.js';
import { type RedisCluster, startRedisCluster } from '../../support/redis/redis-cluster.js';
import { eventually } from '../../support/waiting/eventually.js';

let cluster: RedisCluster;
let client: Cluster;
let test: IndexedRepository;

beforeAll(async () => {
  cluster = await startRedisCluster();
  client = new Cluster([...cluster.addresses], { enableAutoPipelining: true });
});

afterAll(async () => {
  await client.quit();
  await cluster.stop();
});

beforeEach(() => {
  test = new IndexedRepository(client, { namespace: randomUUID(), eventDelivery: 'once' });
});

function inputOf(seen: string[]): SessionEventSourceInput {
  const warn = (message: string) => void test.warnings.push(message);
  return {
    client,
    codec: jsonSessionCodec,
    commandTimeoutMs: 2000,
    handler: ({ type, sessionId }) => void seen.push(`${type} ${sessionId}`),
    keys: test.store.keys,
    logger: { warn, error: warn },
    replicaName: 'a',
  };
}

describe('RedisIndexedSessionRepository on a Redis Cluster', () => {
  it('finds sessions on all nodes, after logins and id changes', async () => {
    const ids = [];
    for (let i = 0; i < 30; i++) {
      const session = await test.open();
      signIn(session, 'alice');
      await session.save();
      ids.push(session.id);
    }
    expect(await test.idsOf('alice')).toEqual(ids.sort());
    for (const id of ids) await test.repository.deleteById(id);
    expect(await test.idsOf('alice')).toEqual([]);
    expect(await test.entryCount('alice')).toBe(0);
  });

  it('ends expired sessions, and delivers the events of all of them once', async () => {
    for (let i = 0; i < 30; i++) await test.open('alice');
    test.pass(1800);
    const { expiration } = test.store;
    if (!(expiration instanceof SortedSetExpirationStore)) throw new Error('Not a sorted set.');
    expect(await expiration.cleanUp()).toBe(30);
    const seen: string[] = [];
    const source = new OnceEventSource(inputOf(seen));
    await source.poll();
    expect(new Set(seen).size).toBe(60);
    expect(seen).toHaveLength(60);
    expect(await test.entryCount('alice')).toBe(0);
  });

  it.each([
    ['once', OnceEventSource],
    ['broadcast', BroadcastEventSource],
  ] as const)(
    "events of delivery '%s' of the other partitions arrive at once although those of one cannot be read",
    async (_, Source) => {
      const { keys } = test.store;
      const seen: string[] = [];
      const source = new Source(inputOf(seen));
      await source.poll();
      const [broken = ''] = keys.partitions;
      const ids: string[] = [];
      for (let i = 0; i < 30; i++) ids.push((await test.open()).id);
      const others = ids.filter((id) => keys.partitionOf(id) !== broken);
      await client.set(keys.events(broken), 'no stream');

      await expect(source.poll()).rejects.toThrow('WRONGTYPE');
      await eventually(() => Promise.resolve(seen.length === others.length));
      expect(seen.sort()).toEqual(others.map((id) => `created ${id}`).sort());

      await client.del(keys.events(broken));
      await source.poll();
      expect(seen).toHaveLength(others.length);
      let next = await test.open();
      while (keys.partitionOf(next.id) !== broken) next = await test.open();
      await source.poll();
      expect(seen).toContain(`created ${next.id}`);
    },
  );

  it('spreads sessions over all masters', async () => {
    const slots = await Promise.all(
      test.store.keys.partitions.map((partition) => client.cluster('KEYSLOT', partition)),
    );
    const masters = new Set(slots.map((slot) => Math.floor(slot / 5461)));
    expect(masters.size).toBe(3);
  });
});
