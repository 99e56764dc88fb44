import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';

/** Seconds without a request that end a session, the same for all contestants. */
export const IDLE_SECONDS = 1800;

/** Signs the cookies of the libraries that sign. */
export const SECRET = 'a secret of the benchmark, 32 characters or more';

/** The store of connect-redis as its README makes it, on node-redis, which pipelines by itself. */
export async function createRedisStore({ redisUrl, id }) {
  const client = createClient({ url: redisUrl });
  await client.connect();
  return new RedisStore({ client, prefix: `${id}:`, ttl: IDLE_SECONDS });
}
