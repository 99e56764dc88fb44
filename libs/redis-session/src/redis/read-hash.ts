import { withDeadline } from './deadline.js';
import { type RedisClient } from './redis-session.commands.js';

/**
 * Reads a hash by a command of its own: for bytes of somebody else that contain the separator of the scripts.
 *
 * @returns fields and values in turn
 * @throws SessionStoreError
 */
export async function readHash(
  client: RedisClient,
  key: string,
  timeoutMs: number,
): Promise<string[]> {
  const hash = await withDeadline('load the session', timeoutMs, client.hgetall(key));
  return Object.entries(hash).flat();
}
