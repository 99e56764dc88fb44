import { randomBytes } from 'node:crypto';
import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { describeSessionRepository } from '../../../libs/redis-session/src/testing/contract/session-repository.contract.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
const keys = [randomBytes(32).toString('base64')];
const indexKey = randomBytes(32).toString('hex');

describeSessionRepository('RedisSessionRepository with hashed ids', (options) => {
  const namespace = `${redis.namespace}:hashed`;
  return new RedisSessionRepository(redis.client, { ...options, hashIds: true, namespace });
});

describeSessionRepository('RedisSessionRepository while ids are being hashed', (options) => {
  const namespace = `${redis.namespace}:renamed`;
  return new RedisSessionRepository(redis.client, { ...options, hashIds: 'rename', namespace });
});

describeSessionRepository('RedisSessionRepository with encrypted attributes', (options) => {
  const namespace = `${redis.namespace}:encrypted`;
  const encryption = { keys };
  return new RedisSessionRepository(redis.client, { ...options, encryption, namespace });
});

describeSessionRepository('RedisIndexedSessionRepository with both', (options) => {
  const namespace = `${redis.namespace}:both`;
  return new RedisIndexedSessionRepository(redis.client, {
    ...options,
    encryption: { indexKey, keys },
    eventDelivery: 'once',
    hashIds: true,
    namespace,
  });
});
