import { z } from 'zod';
import { checkOptions } from '../lib/check-options.js';
import { SessionOptionError } from '../session/session.errors.js';

/** How the sessions of another library, kept by connect-redis in the same Redis, are taken over. */
export interface MigrationOptions {
  /** Who has written them. */
  readonly from: 'express-session' | '@fastify/session';
  /**
   * `'share'` works on the sessions where they are, side by side with replicas that still run the other library; `'move'`
   * moves each to this library's layout when it is first seen: only once no replica runs the other library any more.
   */
  readonly phase: 'share' | 'move';
  /** What the cookies are signed with: the first signs, all verify. */
  readonly secrets: readonly string[];
  /** Name of the cookie. @defaultValue 'connect.sid', for @fastify/session 'sessionId' */
  readonly cookieName?: string | undefined;
  /** Start of the cookie's value. @defaultValue 's:', for @fastify/session '' */
  readonly cookiePrefix?: string | undefined;
  /** `prefix` of connect-redis. @defaultValue 'sess:' */
  readonly keyPrefix?: string | undefined;
  /** `ttl` of connect-redis: seconds that a session lives whose cookie has no age. @defaultValue 86400 */
  readonly ttlSeconds?: number | undefined;
}

/** The options with their defaults. */
export type ResolvedMigrationOptions = {
  readonly [Name in keyof MigrationOptions]-?: Exclude<MigrationOptions[Name], undefined>;
};

const DEFAULTS = {
  'express-session': { cookieName: 'connect.sid', cookiePrefix: 's:' },
  '@fastify/session': { cookieName: 'sessionId', cookiePrefix: '' },
} as const;

const schema = z.strictObject({
  cookieName: z
    .string()
    .regex(/^[!#$%&'*+\-.^`|~\w]+$/)
    .describe('the name of a cookie'),
  cookiePrefix: z.string().describe('a string'),
  from: z
    .enum(['express-session', '@fastify/session'])
    .describe('"express-session" or "@fastify/session"'),
  keyPrefix: z.string().describe('a string'),
  phase: z.enum(['share', 'move']).describe('"share" or "move"'),
  secrets: z.array(z.string().min(1)).min(1).describe('a list of secrets'),
  ttlSeconds: z.int().positive().describe('a positive integer'),
});

/** The options of the module that a migration has to get along with. */
interface MigratingModuleOptions {
  readonly migration?: MigrationOptions | undefined;
  readonly sessionIdGenerator?: unknown;
  readonly sessionIdPattern?: unknown;
  readonly store?: 'redis' | 'memory' | undefined;
}

/**
 * @param options - with `migration`
 * @throws SessionOptionError naming the option that is unknown, wrong, or contradicts another
 */
export function resolveMigrationOptions({
  migration,
  store,
  sessionIdGenerator,
  sessionIdPattern,
}: MigratingModuleOptions): ResolvedMigrationOptions {
  const given = Object.entries(migration ?? {}).filter(([, value]) => value !== undefined);
  const defaults = migration?.from === '@fastify/session' ? '@fastify/session' : 'express-session';
  const all = { ...DEFAULTS[defaults], keyPrefix: 'sess:', ttlSeconds: 86_400 };
  const resolved = checkOptions(
    schema,
    { ...all, ...Object.fromEntries(given) },
    { prefix: 'migration.', secret: ['secrets'] },
  );
  if (store === 'memory')
    throw new SessionOptionError(
      'migration must be left out when store is "memory", got both. Leave one out.',
    );
  if (sessionIdGenerator !== undefined || sessionIdPattern !== undefined)
    throw new SessionOptionError(
      'sessionIdGenerator and sessionIdPattern must be left out as long as there is a migration: ids of both libraries are told apart by what this one makes.',
    );
  return resolved;
}
