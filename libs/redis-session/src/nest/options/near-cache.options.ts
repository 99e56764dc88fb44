import { z } from 'zod';
import { isCluster, type RedisConnection } from '../../redis/client/redis-client.js';
import {
  LIFETIME_IN_FLUSHES,
  type NearCacheRules,
} from '../../redis/near-cache/near-cache-session-repository.js';
import { checkOptions } from '../../lib/check-options.js';
import { SessionOptionError } from '../../session/session.errors.js';

/** What `nearCache` of the module's options takes. */
export interface NearCacheOptions {
  /** How many sessions a process keeps at most; of more, the one is dropped that was used least lately. A positive integer. */
  readonly maxSessions: number;
  /**
   * Milliseconds between two batches of last accesses, and at least between two records of one session: each record has
   * every replica read the session again. A positive integer, at most a quarter of `maxInactiveIntervalSeconds`.
   * @defaultValue 5000
   */
  readonly flushIntervalMs?: number | undefined;
}

/** The defaults of {@link NearCacheOptions}. */
const DEFAULT_NEAR_CACHE_OPTIONS = { flushIntervalMs: 5000 };

const positive = z.int().positive().describe('a positive integer');
const schema = z.strictObject({ flushIntervalMs: positive, maxSessions: positive });

/** The options of the module that a near cache has to get along with. */
interface CachingModuleOptions {
  readonly maxInactiveIntervalSeconds?: number | undefined;
  readonly nearCache?: NearCacheOptions | undefined;
  readonly redis?: RedisConnection | undefined;
  readonly repository?: 'default' | 'indexed' | undefined;
  readonly store?: 'redis' | 'memory' | undefined;
}

/**
 * @param options - with the defaults of the module
 * @throws SessionOptionError naming the option that is unknown, wrong, or contradicts another
 */
export function resolveNearCacheOptions(options: CachingModuleOptions): NearCacheRules | undefined {
  if (options.nearCache === undefined) return undefined;
  const given = Object.entries(options.nearCache).filter(([, value]) => value !== undefined);
  const merged = { ...DEFAULT_NEAR_CACHE_OPTIONS, ...Object.fromEntries(given) };
  const resolved = checkOptions(schema, merged, { prefix: 'nearCache.' });
  refuseContradictions(options);
  const { maxInactiveIntervalSeconds = -1 } = options;
  const mostMs = (maxInactiveIntervalSeconds * 1000) / LIFETIME_IN_FLUSHES;
  if (mostMs > 0 && resolved.flushIntervalMs > mostMs) {
    throw new SessionOptionError(
      `nearCache.flushIntervalMs must be at most a quarter of maxInactiveIntervalSeconds (${mostMs} ms), got ${resolved.flushIntervalMs}.`,
    );
  }
  return resolved;
}

function refuseContradictions({ redis, repository, store }: CachingModuleOptions): void {
  if (store === 'memory') {
    throw new SessionOptionError(
      'nearCache must be left out when store is "memory", got both. Leave one out.',
    );
  }
  if (repository === 'indexed') {
    throw new SessionOptionError(
      'nearCache must be left out when repository is "indexed", got both. Leave one out.',
    );
  }
  if (isCluster(redis)) {
    throw new SessionOptionError(
      'nearCache must be left out on a Redis Cluster, whose nodes report changes of their own keys only. Leave it out, or use one server or Sentinel.',
    );
  }
}
