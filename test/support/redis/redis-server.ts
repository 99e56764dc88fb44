import { type RedisServer, startRedisServer } from '../../../tools/servers/redis-server.mjs';

/**
 * Starts a redis-server for one test file, on a free port unless `port` is given.
 *
 * For tests that stop, freeze or configure their Redis; others use the shared one of `process.env.TEST_REDIS_URL`.
 */
export function startRedis(options: { args?: string[]; port?: number } = {}): Promise<RedisServer> {
  return startRedisServer(options);
}
