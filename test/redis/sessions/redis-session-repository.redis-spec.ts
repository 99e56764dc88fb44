import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { describeSessionRepository } from '../../../libs/redis-session/src/testing/contract/session-repository.contract.js';

const redis = useTestRedis();

describeSessionRepository(
  'RedisSessionRepository',
  (options) => new RedisSessionRepository(redis.client, { ...options, namespace: redis.namespace }),
);
