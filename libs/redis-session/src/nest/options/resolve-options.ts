import { resolveCookieOptions } from '../../http/session-id/cookie-options.js';
import {
  CUSTOM_SESSION_ID_PATTERN,
  SESSION_ID_PATTERN,
  generateSessionId,
} from '../../session/session-id.js';
import { resolveIndexedSessionOptions } from './indexed.options.js';
import { resolveMigrationOptions } from '../../migration/migration.options.js';
import { resolveNearCacheOptions } from './near-cache.options.js';
import {
  DEFAULT_OPTIONS,
  type RedisSessionModuleOptions,
  type ResolvedOptions,
} from './redis-session.options.js';
import { resolveSecurityOptions } from './security.options.js';
import { resolveWebSocketOptions } from './web-socket.options.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { z } from 'zod';
import { anyFunction, anyObject, checkOptions } from '../../lib/check-options.js';
import { FlushMode, SaveMode } from '../../session/modes.js';

/** What is made of other options. */
type Decided =
  'cookie' | 'indexed' | 'migration' | 'nearCache' | 'security' | 'sessionIdPattern' | 'webSockets';

type Merged = Omit<typeof DEFAULT_OPTIONS, 'requestSession' | 'passportSession'> &
  RedisSessionModuleOptions;

/**
 * Fills in the defaults and checks everything, once, at start.
 *
 * @throws SessionOptionError naming the option that is unknown, wrong, or contradicts another
 */
export function resolveOptions(options: RedisSessionModuleOptions): ResolvedOptions {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const merged = { ...DEFAULT_OPTIONS, ...given } as Merged;
  checkModuleOptions(merged);
  refuseContradictions(options, merged);
  const { cookie, security, sessionIdGenerator } = merged;
  const { indexed, repository } = options;
  const isCustomId = sessionIdGenerator !== generateSessionId;
  return {
    ...(merged as Omit<ResolvedOptions, Decided>),
    cookie: resolveCookieOptions(cookie),
    indexed: repository === 'indexed' ? resolveIndexedSessionOptions(indexed ?? {}) : undefined,
    migration: options.migration && resolveMigrationOptions(options),
    nearCache: resolveNearCacheOptions(merged),
    requestSession: merged.requestSession === true || merged.passportSession === true,
    security: resolveSecurityOptions(security),
    webSockets: resolveWebSocketOptions(merged.webSockets),
    sessionIdPattern:
      options.sessionIdPattern ?? (isCustomId ? CUSTOM_SESSION_ID_PATTERN : SESSION_ID_PATTERN),
  };
}

/**
 * Refuses options that are right one by one, but not together.
 *
 * @param given - what the application says
 * @param merged - the same with the defaults
 * @throws SessionOptionError
 */
export function refuseContradictions(
  given: RedisSessionModuleOptions,
  merged: RedisSessionModuleOptions,
): void {
  const { maxInactiveIntervalSeconds = -1, touchIntervalSeconds = 0 } = merged;
  if (merged.store === 'redis' && merged.redis === undefined) {
    throw new SessionOptionError(
      'redis must be given: a url such as "redis://localhost:6379", ioredis options, cluster nodes or a client. Or set store to "memory".',
    );
  }
  if (merged.store === 'memory' && given.redis !== undefined) {
    throw new SessionOptionError(
      'redis must be left out when store is "memory", got both. Leave one out.',
    );
  }
  refuseWithoutIndex(given, merged);
  if (given.cookie !== undefined && given.sessionIdResolver !== undefined) {
    throw new SessionOptionError(
      'cookie must be left out when sessionIdResolver is given, got both. Leave one out.',
    );
  }
  refuseBlindRequestSession(merged);
  if (maxInactiveIntervalSeconds > 0 && touchIntervalSeconds >= maxInactiveIntervalSeconds) {
    throw new SessionOptionError(
      `touchIntervalSeconds must be below maxInactiveIntervalSeconds (${maxInactiveIntervalSeconds}), got ${touchIntervalSeconds}.`,
    );
  }
}

/** What only sessions with an index can do. */
function refuseWithoutIndex(
  given: RedisSessionModuleOptions,
  merged: RedisSessionModuleOptions,
): void {
  const { repository, security, store } = merged;
  const isIndexed = repository === 'indexed';
  if (isIndexed && store === 'memory') {
    throw new SessionOptionError(
      'repository must be "default" when store is "memory", got "indexed". Leave it out.',
    );
  }
  if (!isIndexed && given.indexed !== undefined) {
    throw new SessionOptionError(
      'indexed must be left out unless repository is "indexed", got both. Leave one out.',
    );
  }
  if (!isIndexed && security && security.logout?.endsEverySession === true) {
    throw new SessionOptionError(
      'security.logout.endsEverySession must be false unless repository is "indexed", got true.',
    );
  }
  if (!isIndexed && given.webSockets?.closeWithSession === true) {
    throw new SessionOptionError(
      'webSockets.closeWithSession must be false unless repository is "indexed", got true.',
    );
  }
}

/** `req.session` cannot wait for a session to be read, and its users change values in place. */
function refuseBlindRequestSession(options: RedisSessionModuleOptions): void {
  if (options.requestSession !== true && options.passportSession !== true) return;
  const name = options.passportSession === true ? 'passportSession' : 'requestSession';
  if (options.load === 'lazy') {
    throw new SessionOptionError(`load must be "eager" when ${name} is true, got "lazy".`);
  }
  if (options.saveMode === 'on-set-attribute') {
    throw new SessionOptionError(
      `saveMode must be "on-change" when ${name} is true, got "on-set-attribute": req.session.cart.push(item) would not be saved.`,
    );
  }
}

const positive = z.int().positive();

/** The description of each member completes "`<name>` must be …". */
const schema = z.strictObject({
  redis: z
    .union([z.string().min(1), anyObject])
    .optional()
    .describe('a url, ioredis options, cluster nodes or a client'),
  absoluteTimeoutSeconds: positive.optional().describe('a positive integer or undefined'),
  clock: anyFunction.describe('a function that returns epoch ms'),
  codec: anyObject.describe('an object with encode and decode'),
  commandTimeoutMs: positive.describe('a positive integer'),
  cookie: anyObject.describe('an object of cookie options'),
  exclude: z.array(z.unknown()).describe('a list of routes'),
  flushMode: z.enum(FlushMode).describe('"on-save" or "immediate"'),
  indexed: anyObject.optional().describe('an object of options of the indexed repository'),
  load: z.enum(['eager', 'lazy']).describe('"eager" or "lazy"'),
  logger: anyObject.describe('an object with warn and error'),
  maxInactiveIntervalSeconds: z
    .union([positive, z.literal(-1)])
    .describe('-1 (never) or a positive integer'),
  migration: anyObject.optional().describe('an object of migration options'),
  namespace: z
    .string()
    .regex(/^[^\s{}]+$/)
    .describe('a string without spaces and braces'),
  nearCache: anyObject.optional().describe('an object of options of the near cache'),
  onCorrupt: z.enum(['new-session', 'error']).describe('"new-session" or "error"'),
  onStoreUnavailable: z.enum(['error', 'anonymous']).describe('"error" or "anonymous"'),
  repository: z.enum(['default', 'indexed']).describe('"default" or "indexed"'),
  passportSession: z.boolean().describe('true or false'),
  requestSession: z.boolean().describe('true or false'),
  saveMode: z
    .enum(SaveMode)
    .describe('"on-change", "on-set-attribute", "on-get-attribute" or "always"'),
  security: z
    .union([z.literal(false), anyObject])
    .describe('an object of security options or false'),
  sessionIdGenerator: anyFunction.describe('a function that returns a string'),
  sessionIdPattern: z.instanceof(RegExp).optional().describe('a regular expression'),
  sessionIdResolver: anyObject.optional().describe('a SessionIdResolver'),
  store: z.enum(['redis', 'memory']).describe('"redis" or "memory"'),
  touchIntervalSeconds: z.int().min(0).describe('an integer that is not negative'),
  webSockets: anyObject.describe('an object of WebSocket options'),
});

/** @param options - with their defaults filled in. @throws SessionOptionError for the first one that is unknown or wrong */
export function checkModuleOptions(options: object): void {
  checkOptions(schema, { ...options }, { secret: ['redis'] });
}
