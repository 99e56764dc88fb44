import { type Cluster, type Redis } from 'ioredis';
import { withDeadline } from './deadline.js';

/**
 * Reads a hash by a command of its own.
 *
 * @throws SessionStoreError
 */
export async function readHash(
  client: Redis | Cluster,
  key: string,
  timeoutMs: number,
): Promise<Map<string, string>> {
  const hash = await withDeadline('load the session', timeoutMs, client.hgetall(key));
  return new Map(Object.entries(hash));
}
