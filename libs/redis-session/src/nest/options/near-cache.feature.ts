import { z } from 'zod';
import {
  type OptionsOf,
  positiveOption,
  refuseContradictions,
  resolveOptionGroup,
} from '../../lib/option-group.js';
import { isCluster, isSingleServer } from '../../redis/client/redis-client.js';
import {
  LIFETIME_IN_FLUSHES,
  NearCacheSessionRepository,
} from '../../redis/near-cache/near-cache-session-repository.js';
import { RedisSessionStore } from '../../redis/redis-session-store.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { type RedisSessionModuleOptions, type SessionFeature } from './redis-session.options.js';

/** What `nearCache` takes. */
export const nearCacheOptionGroup = z.strictObject({
  /**
   * Milliseconds between two batches of last accesses, and at least between two records of one session: each record makes
   * every replica read the session again. At most a quarter of `maxInactiveIntervalSeconds`.
   */
  flushIntervalMs: positiveOption.default(5000),
  /** How many sessions a process keeps at most. The least recently used one is evicted. */
  maxSessions: positiveOption,
});

/** What {@link nearCache} takes. */
export interface NearCacheOptions extends OptionsOf<typeof nearCacheOptionGroup> {}

/**
 * Keeps sessions in the process that were read, until Redis reports that they have changed: see docs/storage.md. A route
 * with `@FreshSession()` still asks Redis. `features: [nearCache({ maxSessions: 10_000 })]`.
 *
 * @throws SessionOptionError
 */
export function nearCache(options: NearCacheOptions): SessionFeature {
  const rules = resolveOptionGroup(nearCacheOptionGroup, options, { prefix: 'nearCache.' });
  return {
    name: 'nearCache()',
    configure(moduleOptions) {
      refuseUnlessAlone(moduleOptions);
      const { maxInactiveIntervalSeconds = 1800 } = moduleOptions;
      const mostMs = (maxInactiveIntervalSeconds * 1000) / LIFETIME_IN_FLUSHES;
      refuseContradictions({
        [`nearCache.flushIntervalMs must be at most a quarter of maxInactiveIntervalSeconds (${mostMs} ms), got ${rules.flushIntervalMs}.`]:
          mostMs > 0 && rules.flushIntervalMs > mostMs,
      });
      return moduleOptions;
    },
    createRepository(store, resolved) {
      // Tests keep sessions in memory, whatever the application uses.
      if (!(store instanceof RedisSessionStore)) return store.createRepository(resolved);
      const { client } = store;
      if (!isSingleServer(client)) throw onCluster();
      return new NearCacheSessionRepository(client, resolved, rules);
    },
  };
}

function refuseUnlessAlone(options: RedisSessionModuleOptions): void {
  const { redis, repository, store = 'redis' } = options;
  const name = typeof store === 'string' ? `"${store}"` : store.name;
  refuseContradictions({
    [`nearCache() must be left out when store is ${name}, which reports no changes, got both. Leave one out.`]:
      store !== 'redis',
    'nearCache() must be left out when repository is "indexed", got both. Leave one out.':
      repository === 'indexed',
  });
  if (isCluster(redis)) throw onCluster();
}

function onCluster(): SessionOptionError {
  return new SessionOptionError(
    'nearCache() must be left out on a Redis Cluster, whose nodes report changes of their own keys only. Leave it out, or use one server or Sentinel.',
  );
}
