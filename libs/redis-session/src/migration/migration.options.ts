import { z } from 'zod';
import {
  type OptionsOf,
  type ResolvedOptionsOf,
  positiveOption,
  resolveOptionGroup,
  secretOption,
  tokenOption,
} from '../lib/option-group.js';

/** What `migrateFrom` takes: how the sessions of another library, kept by connect-redis in the same Redis, are taken over. */
export const migrationOptionGroup = z.strictObject({
  /** Name of the cookie. Default: `'connect.sid'`, or `'sessionId'` when Fastify wrote it. */
  cookieName: tokenOption('the name of a cookie').optional(),
  /** Start of the cookie's value. Default: `'s:'`, or `''` when Fastify wrote it. */
  cookiePrefix: z.string().describe('a string').optional(),
  /** The library that has written the sessions. */
  from: z.enum(['express-session', '@fastify/session']),
  /** `prefix` of connect-redis. */
  keyPrefix: z.string().describe('a string').default('sess:'),
  /**
   * `'share'` works on the sessions where they are, side by side with replicas that still run the other library. `'move'`
   * moves each session to this library's layout when it is first seen: use it once no replica runs the other library.
   */
  phase: z.enum(['share', 'move']),
  /** What the cookies are signed with. The first signs, all verify. */
  secrets: z.array(secretOption(1)).min(1).readonly().describe('a list of secrets'),
  /** `ttl` of connect-redis: seconds that a session lives whose cookie has no age. */
  ttlSeconds: positiveOption.default(86_400),
});

/** What `migrateFrom` takes. */
export interface MigrationOptions extends OptionsOf<typeof migrationOptionGroup> {}

/** {@link MigrationOptions} with their defaults. */
export interface ResolvedMigrationOptions extends ResolvedOptionsOf<typeof migrationOptionGroup> {
  readonly cookieName: string;
  readonly cookiePrefix: string;
}

const COOKIES = {
  'express-session': { cookieName: 'connect.sid', cookiePrefix: 's:' },
  '@fastify/session': { cookieName: 'sessionId', cookiePrefix: '' },
};

/** @throws SessionOptionError naming the option that is unknown or wrong */
export function resolveMigrationOptions(options: MigrationOptions): ResolvedMigrationOptions {
  const resolved = resolveOptionGroup(migrationOptionGroup, options, {
    prefix: 'migrateFrom.',
    secret: ['secrets'],
  });
  const { cookieName, cookiePrefix } = COOKIES[resolved.from];
  return {
    ...resolved,
    cookieName: resolved.cookieName ?? cookieName,
    cookiePrefix: resolved.cookiePrefix ?? cookiePrefix,
  };
}
