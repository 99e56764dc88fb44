import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { type RedisIndexedSessionRepositoryOptions } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.options.js';
import { describeSessionRepository } from '../../../libs/redis-session/src/testing/contract/session-repository.contract.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
const stores: RedisIndexedSessionRepositoryOptions['expirationStore'][] = [
  'sorted-set',
  'minute-buckets',
];

for (const expirationStore of stores) {
  describeSessionRepository(`RedisIndexedSessionRepository with ${expirationStore}`, (options) => {
    const namespace = `${redis.namespace}:${expirationStore}`;
    return new RedisIndexedSessionRepository(redis.client, {
      ...options,
      eventDelivery: 'once',
      expirationStore,
      namespace,
    });
  });
}
