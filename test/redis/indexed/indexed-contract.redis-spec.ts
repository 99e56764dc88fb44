import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { describeIndexedSessionRepository } from '../../../libs/redis-session/src/testing/contract/indexed-session-repository.contract.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();

describeIndexedSessionRepository('RedisIndexedSessionRepository', ({ indexed, ...options }) => {
  const { namespace } = redis;
  return new RedisIndexedSessionRepository(redis.client, { ...options, ...indexed, namespace });
});
