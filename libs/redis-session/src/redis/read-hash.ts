import { type Cluster, type Redis } from 'ioredis';
import { withDeadline } from './deadline.js';

/**
 * Reads a hash by a command of its own.
 *
 * @returns fields and values in turn
 * @throws SessionStoreError
 */
export async function readHash(
  client: Redis | Cluster,
  key: string,
  timeoutMs: number,
): Promise<string[]> {
  const hash = await withDeadline('load the session', timeoutMs, client.hgetall(key));
  return Object.entries(hash).flat();
}
