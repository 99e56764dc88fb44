import { eventually } from '../../support/waiting/eventually.js';
import { describeRaces } from '../../support/faults/races.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
const keyOf = (cookie: string) => redis.keys.session(cookie.slice('SESSION='.length));

describeRaces({
  options: () => ({ redis: process.env['TEST_REDIS_URL'], namespace: redis.namespace }),
  stored: () => redis.allKeys(),
  nameOf: keyOf,
  expire: async (cookie) => {
    await redis.client.pexpire(keyOf(cookie), 1);
    await eventually(async () => (await redis.client.exists(keyOf(cookie))) === 0);
  },
  clear: async () => {
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  },
});
