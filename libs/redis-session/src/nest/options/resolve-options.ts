import { resolveCookieOptions } from '../../http/session-id/cookie-options.js';
import { refuseContradictions, resolveOptionGroup } from '../../lib/option-group.js';
import {
  refuseUnusableGenerator,
  refuseWeakGenerator,
  sessionIdPatternOf,
} from '../../session/session-id.js';
import { resolveDurabilityOptions } from '../../redis/client/durable-writes.js';
import { resolveEncryptionOptions } from '../../session/repository-options.js';
import {
  resolveIndexedSessionOptions,
  type RedisSessionModuleOptions,
  type ResolvedOptions,
  moduleOptionGroup,
  webSocketOptionGroup,
} from './redis-session.options.js';
import { resolveSecurityOptions } from './security.options.js';

const UNNEEDED = 'Leave it out: only changed sessions are saved.';

/** Names that other entries took over, or that other libraries have, and what is written here. */
const MOVED = {
  migration: 'Use features: [migrateFrom({ … })] of "nestjs-redis-session/migration".',
  nearCache: 'Use features: [nearCache({ maxSessions: 10_000 })].',
  passportSession:
    'Use features: [expressSession({ passport: true })] of "nestjs-redis-session/express-session".',
  requestSession: 'Use features: [expressSession()] of "nestjs-redis-session/express-session".',
  prefix: 'Use namespace.',
  resave: UNNEEDED,
  saveUninitialized: UNNEEDED,
  secret: 'Use cookie.secrets.',
  ttl: 'Use maxInactiveIntervalSeconds.',
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
  refuseStoreContradictions(options);
  refuseOtherContradictions(options);
  if (resolved.encryption) resolveEncryptionOptions(resolved.encryption);
  const { repository, ...rest } = resolved;
  const sessionIdPattern = sessionIdPatternOf(resolved);
  refuseUnusableGenerator(rest.sessionIdGenerator, sessionIdPattern);
  if (rest.hashIds !== false) refuseWeakGenerator(rest.sessionIdGenerator);
  return {
    ...rest,
    clock: options.clock ?? clockOf(resolved.store),
    cookie: resolveCookieOptions(resolved.cookie),
    durability:
      resolved.durability &&
      resolveDurabilityOptions(resolved.durability, resolved.commandTimeoutMs),
    indexed:
      repository === 'indexed' ? resolveIndexedSessionOptions(resolved.indexed ?? {}) : undefined,
    security: resolved.security && resolveSecurityOptions(resolved.security),
    sessionIdPattern,
    webSockets: resolveOptionGroup(webSocketOptionGroup, resolved.webSockets, {
      prefix: 'webSockets.',
    }),
  };
}

function clockOf(store: ResolvedOptions['store']): () => number {
  return (typeof store === 'object' && store.now?.bind(store)) || Date.now;
}

/** Lets the features set and refuse options, one after the other, before the others are checked. @throws SessionOptionError */
export function configureOptions(options: RedisSessionModuleOptions): RedisSessionModuleOptions {
  const group = moduleOptionGroup.pick({ features: true });
  const { features } = resolveOptionGroup(group, { features: options.features });
  return features.reduce((made, feature) => feature.configure?.(made) ?? made, options);
}

/** Options of `indexed` that describe how Redis keeps the index. */
export const REDIS_INDEX_OPTIONS = [
  'cleanupCron',
  'configuresNotifications',
  'expirationStore',
  'partitions',
] as const;

function refuseStoreContradictions(options: RedisSessionModuleOptions): void {
  const { store = 'redis', redis, namespace, sharedCommands, durability, indexed } = options;
  const name = typeof store === 'string' ? `"${store}"` : store.name;
  const ofRedis = {
    redis,
    durability,
    ...(store === 'memory' ? {} : { namespace, sharedCommands }),
  };
  const given = Object.entries(ofRedis).find(([, value]) => value !== undefined)?.[0];
  const givenOfIndex = REDIS_INDEX_OPTIONS.find((option) => indexed?.[option] !== undefined);
  const isForeign = store !== 'redis';
  refuseContradictions({
    'redis must be given: a url such as "redis://localhost:6379", ioredis options, cluster nodes or a client. Or set store to "memory".':
      !isForeign && redis === undefined,
    [`${given} must be left out when store is ${name}, got both. Leave one out.`]:
      isForeign && given !== undefined,
    [`indexed.${givenOfIndex} must be left out when store is ${name}: it describes how Redis keeps the index.`]:
      isForeign && givenOfIndex !== undefined,
  });
}

function refuseOtherContradictions({
  maxInactiveIntervalSeconds = 1800,
  touchIntervalSeconds = 0,
  ...options
}: RedisSessionModuleOptions): void {
  const { cookie, indexed, repository, security, sessionIdResolver, webSockets } = options;
  const hasIndex = repository === 'indexed';
  refuseContradictions({
    'indexed must be left out unless repository is "indexed". Set that, or leave indexed out.':
      !hasIndex && indexed !== undefined,
    'security.logout.endsEverySession must be false unless repository is "indexed", got true.':
      !hasIndex && Boolean(security && security.logout?.endsEverySession),
    'webSockets.closeWithSession must be false unless repository is "indexed", got true.':
      !hasIndex && webSockets?.closeWithSession === true,
    'cookie must be left out when sessionIdResolver is given, got both. Leave one out.':
      cookie !== undefined && sessionIdResolver !== undefined,
    [`touchIntervalSeconds must be below maxInactiveIntervalSeconds (${maxInactiveIntervalSeconds}), got ${touchIntervalSeconds}.`]:
      maxInactiveIntervalSeconds > 0 && touchIntervalSeconds >= maxInactiveIntervalSeconds,
  });
}
