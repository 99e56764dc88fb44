import { describe } from '@jest/globals';
import { nearCache, type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { indexedSessionKeys } from '../../../libs/redis-session/src/redis/indexed/indexed-session.keys.js';
import { storageIdOf } from '../../../libs/redis-session/src/session/session-id.js';
import { eventually } from '../../support/waiting/eventually.js';
import { describeRaces } from '../../support/faults/races.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const PARTITIONS = 2;
const [KEY, INDEX_KEY] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));

const indexed: RedisSessionModuleOptions = {
  repository: 'indexed',
  indexed: { partitions: PARTITIONS },
};

const STORES: [string, RedisSessionModuleOptions][] = [
  ['the default repository', {}],
  ['a near cache', { features: [nearCache({ maxSessions: 100 })] }],
  ['the indexed repository', indexed],
  [
    'hashed ids and encrypted attributes',
    { ...indexed, hashIds: true, encryption: { keys: [KEY ?? ''], indexKey: INDEX_KEY } },
  ],
];

const redis = useTestRedis();

describe.each(STORES)('With %s,', (_, options) => {
  const keys = options.indexed ? indexedSessionKeys(redis.namespace, PARTITIONS) : redis.keys;
  const keyOf = (cookie: string) => {
    const id = cookie.slice('SESSION='.length);
    return keys.session(options.hashIds ? storageIdOf(id) : id);
  };

  describeRaces({
    options: () => ({
      redis: process.env['TEST_REDIS_URL'],
      namespace: redis.namespace,
      ...options,
    }),
    stored: async () => {
      const all = await redis.allKeys();
      return options.indexed ? all.filter((key) => /:sessions:(?!expirations$)/.test(key)) : all;
    },
    nameOf: keyOf,
    expire: async (cookie) => {
      await redis.client.pexpire(keyOf(cookie), 1);
      await eventually(async () => (await redis.client.exists(keyOf(cookie))) === 0);
    },
    clear: () => redis.removeKeys(),
  });
});
