import { withDeadline } from '../../lib/deadline.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import { type RedisClient } from '../sessions/redis-session.commands.js';

const policyOf = foreignProperty<string>('policy by which Redis evicts keys');

/**
 * Asks Redis by which policy it evicts keys when it is full. `mayEvict` knows the answer from then on.
 *
 * @returns such as `allkeys-lru`; undefined when it evicts nothing, or does not tell
 */
export async function findEvictionPolicy(
  client: RedisClient,
  timeoutMs: number,
): Promise<string | undefined> {
  const reply = withDeadline('read the memory policy', timeoutMs, client.info('memory'));
  const info = await reply.catch(() => '');
  const policy = /^maxmemory_policy:(.+?)\r?$/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return undefined;
  policyOf.set(client, policy);
  return policy;
}

/** Whether any key can be gone before its time. */
export function mayEvict(client: RedisClient): boolean {
  return policyOf.get(client) !== undefined;
}
