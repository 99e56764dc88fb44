import { resolveCookieOptions } from '../../http/session-id/cookie-options.js';
import { resolveOptionGroup } from '../../lib/option-group.js';
import {
  CUSTOM_SESSION_ID_PATTERN,
  SESSION_ID_PATTERN,
  STABLE_PREFIX_LENGTH,
  generateSessionId,
} from '../../session/session-id.js';
import {
  type DurabilityOptions,
  durabilityOptionGroup,
  type ResolvedDurabilityOptions,
} from '../../redis/client/durable-writes.js';
import { resolveEncryptionOptions } from '../../session/at-rest/encryption.options.js';
import { refuseWeakGenerator } from '../../session/at-rest/generator-strength.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { resolveIndexedSessionOptions } from './indexed.options.js';
import {
  type RedisSessionModuleOptions,
  type ResolvedOptions,
  moduleOptionGroup,
} from './redis-session.options.js';
import { resolveSecurityOptions } from './security.options.js';
import { webSocketOptionGroup } from './web-socket.options.js';

/** The features come first: they may set the other options. */
const featureList = moduleOptionGroup.pick({ features: true });

/** Options that other entries took over, and how they are written now. */
const MOVED = {
  migration:
    'migration must be left out: there is no such option. Use features: [migrateFrom({ … })] of "nestjs-redis-session/migration".',
  nearCache:
    'nearCache must be left out: there is no such option. Use features: [nearCache({ maxSessions: 10_000 })].',
  passportSession:
    'passportSession must be left out: there is no such option. Use features: [expressSession({ passport: true })] of "nestjs-redis-session/express-session".',
  requestSession:
    'requestSession must be left out: there is no such option. Use features: [expressSession()] of "nestjs-redis-session/express-session".',
};

/**
 * Fills in the defaults and checks everything, once, at start.
 *
 * @throws SessionOptionError naming the option that is unknown, wrong, or contradicts another
 */
export function resolveOptions(options: RedisSessionModuleOptions | undefined): ResolvedOptions {
  return resolveConfigured(configureOptions(options ?? {}));
}

/** The same for options that the features have configured. @throws SessionOptionError */
export function resolveConfigured(options: RedisSessionModuleOptions): ResolvedOptions {
  const resolved = resolveOptionGroup(moduleOptionGroup, options, {
    moved: MOVED,
    secret: ['redis'],
  });
  refuseContradictions(options);
  if (resolved.encryption) resolveEncryptionOptions(resolved.encryption);
  if (resolved.hashIds !== false) refuseWeakGenerator(resolved.sessionIdGenerator);
  const { repository, sessionIdGenerator, sessionIdPattern, ...rest } = resolved;
  const idPattern =
    sessionIdGenerator === generateSessionId ? SESSION_ID_PATTERN : CUSTOM_SESSION_ID_PATTERN;
  return {
    ...rest,
    cookie: resolveCookieOptions(resolved.cookie),
    durability:
      resolved.durability &&
      resolveDurabilityOptions(resolved.durability, resolved.commandTimeoutMs),
    indexed:
      repository === 'indexed' ? resolveIndexedSessionOptions(resolved.indexed ?? {}) : undefined,
    security: resolveSecurityOptions(resolved.security),
    sessionIdGenerator,
    sessionIdPattern: sessionIdPattern ? withoutStorageIds(sessionIdPattern) : idPattern,
    webSockets: resolveOptionGroup(webSocketOptionGroup, resolved.webSockets, {
      prefix: 'webSockets.',
    }),
  };
}

function resolveDurabilityOptions(
  options: DurabilityOptions,
  commandTimeoutMs: number,
): ResolvedDurabilityOptions {
  const durability = resolveOptionGroup(durabilityOptionGroup, options, { prefix: 'durability.' });
  if (durability.timeoutMs < commandTimeoutMs) return durability;
  throw new SessionOptionError(
    `durability.timeoutMs must be below commandTimeoutMs (${commandTimeoutMs}), got ${durability.timeoutMs}.`,
  );
}

/** The same pattern, but what a store holds of an id with `hashIds` never matches: it logs nobody in. */
function withoutStorageIds({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?!.{${STABLE_PREFIX_LENGTH}}=)(?=[^]*?(?:${source}))`, flags);
}

/** Lets the features set and refuse options, one after the other. @throws SessionOptionError */
export function configureOptions(options: RedisSessionModuleOptions): RedisSessionModuleOptions {
  const { features } = resolveOptionGroup(featureList, { features: options.features });
  return features.reduce((made, feature) => feature.configure?.(made) ?? made, options);
}

/**
 * Refuses options that are right one by one, but not together.
 *
 * @throws SessionOptionError
 */
function refuseContradictions(options: RedisSessionModuleOptions): void {
  const { maxInactiveIntervalSeconds = 1800, touchIntervalSeconds = 0 } = options;
  refuseStoreContradictions(options);
  refuseWithoutIndex(options);
  if (options.cookie !== undefined && options.sessionIdResolver !== undefined) {
    throw new SessionOptionError(
      'cookie must be left out when sessionIdResolver is given, got both. Leave one out.',
    );
  }
  if (maxInactiveIntervalSeconds > 0 && touchIntervalSeconds >= maxInactiveIntervalSeconds) {
    throw new SessionOptionError(
      `touchIntervalSeconds must be below maxInactiveIntervalSeconds (${maxInactiveIntervalSeconds}), got ${touchIntervalSeconds}.`,
    );
  }
}

/** Options of `indexed` that describe how Redis keeps the index. */
const REDIS_INDEX_OPTIONS = [
  'cleanupCron',
  'configuresNotifications',
  'expirationStore',
  'partitions',
] as const;

function refuseStoreContradictions({
  store = 'redis',
  redis,
  namespace,
  sharedReads,
  durability,
  indexed,
  repository,
}: RedisSessionModuleOptions): void {
  if (store === 'redis') {
    if (redis !== undefined) return;
    throw new SessionOptionError(
      'redis must be given: a url such as "redis://localhost:6379", ioredis options, cluster nodes or a client. Or set store to "memory".',
    );
  }
  const name = store === 'memory' ? '"memory"' : store.name;
  const foreign =
    store === 'memory' ? { redis, durability } : { redis, durability, namespace, sharedReads };
  const given = Object.entries(foreign).find(([, value]) => value !== undefined);
  if (given) {
    throw new SessionOptionError(
      `${given[0]} must be left out when store is ${name}, got both. Leave one out.`,
    );
  }
  if (store === 'memory' && repository === 'indexed') {
    throw new SessionOptionError(
      'repository must be "default" when store is "memory", got "indexed". Leave it out.',
    );
  }
  const ofRedis = REDIS_INDEX_OPTIONS.find((option) => indexed?.[option] !== undefined);
  if (ofRedis) {
    throw new SessionOptionError(
      `indexed.${ofRedis} must be left out when store is ${name}: it describes how Redis keeps the index.`,
    );
  }
}

/** What only sessions with an index can do. */
function refuseWithoutIndex({
  indexed,
  repository,
  security,
  webSockets,
}: RedisSessionModuleOptions): void {
  if (repository === 'indexed') return;
  if (indexed !== undefined) {
    throw new SessionOptionError(
      'indexed must be left out unless repository is "indexed", got both. Leave one out.',
    );
  }
  if (security && security.logout?.endsEverySession === true) {
    throw new SessionOptionError(
      'security.logout.endsEverySession must be false unless repository is "indexed", got true.',
    );
  }
  if (webSockets?.closeWithSession === true) {
    throw new SessionOptionError(
      'webSockets.closeWithSession must be false unless repository is "indexed", got true.',
    );
  }
}
