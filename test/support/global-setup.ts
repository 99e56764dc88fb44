import { isOnPath } from '../../tools/servers/ensure-programs.mjs';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.mjs';

declare global {
  /** The Redis of this run; set here and read in global-teardown.ts, which Jest loads in the same process. */
  var sharedTestRedis: RedisServer | undefined;
}

/** Starts the redis-server that all test files of one run share; its address is `process.env.TEST_REDIS_URL`. */
export default async function setup(): Promise<void> {
  if (!isOnPath('redis-server')) {
    throw new Error(
      'Cannot run the tests: redis-server is not installed. Run `node tools/ensure-servers.mjs redis-server nginx`.',
    );
  }
  globalThis.sharedTestRedis = await startRedisServer();
  process.env['TEST_REDIS_URL'] = globalThis.sharedTestRedis.url;
}
