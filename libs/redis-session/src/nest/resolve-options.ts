import { resolveCookieOptions } from '../http/cookie-serializer.options.js';
import {
  CUSTOM_SESSION_ID_PATTERN,
  generateSessionId,
  SESSION_ID_PATTERN,
} from '../session/session-id-generator.js';
import { refuseContradictions } from './contradicting-options.js';
import { resolveIndexedSessionOptions } from './indexed.options.js';
import { resolveMigrationOptions } from './migration.options.js';
import { resolveNearCacheOptions } from './near-cache.options.js';
import { checkModuleOptions } from './redis-session.options-schema.js';
import {
  DEFAULT_OPTIONS,
  type RedisSessionModuleOptions,
  type ResolvedOptions,
} from './redis-session.options.js';
import { resolveSecurityOptions } from './security.options.js';
import { resolveWebSocketOptions } from './web-socket.options.js';

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
