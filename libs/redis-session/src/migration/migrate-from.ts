import { z } from 'zod';
import { type CookieSerializerOptions } from '../http/session-id/cookie-serializer.js';
import { MAX_KEPT_COOKIE_SECONDS } from '../http/session-id/cookie-options.js';
import { CookieSessionIdResolver } from '../http/session-id/session-id-resolver.js';
import {
  type RedisSessionModuleOptions,
  type ConnectedFeature,
  type SessionFeature,
  type SessionFeatureHost,
} from '../nest/options/redis-session.options.js';
import { hideArguments } from '../redis/client/hidden-arguments.js';
import { RedisSessionStore } from '../redis/redis-session-store.js';
import { type BlobLayout, BlobSessionRepository } from './blob-session-repository.js';
import { FormerCookie, MigratingSessionIdResolver } from './migrating-session-id-resolver.js';
import { MigratingSessionRepository } from './migrating-session-repository.js';
import { FORMER_ID_PATTERN } from './session-blob.js';
import { SessionBlobCommands } from './session-blob.commands.js';
import {
  type OptionsOf,
  type ResolvedOptionsOf,
  positiveOption,
  refuseContradictions,
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
interface ResolvedMigrationOptions extends ResolvedOptionsOf<typeof migrationOptionGroup> {
  readonly cookieName: string;
  readonly cookiePrefix: string;
}

const COOKIES = {
  'express-session': { cookieName: 'connect.sid', cookiePrefix: 's:' },
  '@fastify/session': { cookieName: 'sessionId', cookiePrefix: '' },
};

/** @throws SessionOptionError naming the option that is unknown or wrong */
function resolveMigrationOptions(options: MigrationOptions): ResolvedMigrationOptions {
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

/** Counts what a migration does in this process. */
export interface MigrationProgress {
  /** Sessions that this process has moved. */
  movedCount: number;
  /** Times that this process was asked for a session that it cannot read. */
  unreadableCount: number;
}

/** A feature that takes over the sessions of another library, and counts them. */
export interface SessionMigration extends SessionFeature {
  /** What this process has done so far. */
  readonly progress: Readonly<MigrationProgress>;
}

/**
 * Takes over the sessions of express-session or @fastify/session: nobody is logged out.
 *
 * ```ts
 * RedisSessionModule.forRoot({
 *   redis,
 *   features: [migrateFrom({ from: 'express-session', phase: 'share', secrets: [secret] })],
 * })
 * ```
 *
 * @throws SessionOptionError naming the option that is unknown or wrong
 */
export function migrateFrom(options: MigrationOptions): SessionMigration {
  const resolved = resolveMigrationOptions(options);
  const progress = { movedCount: 0, unreadableCount: 0 };
  return {
    name: 'migrateFrom()',
    progress,
    configure(moduleOptions) {
      refuseOthers(moduleOptions);
      return moduleOptions;
    },
    connect: (host) => connect(host, resolved, progress),
  };
}

function refuseOthers(options: RedisSessionModuleOptions): void {
  const { hashIds = false, sessionIdGenerator, sessionIdPattern, store = 'redis' } = options;
  const storeName = typeof store === 'object' ? store.name : `"${store}"`;
  refuseContradictions({
    'hashIds must be left out as long as there is migrateFrom(), which keeps the ids of moved sessions in Redis. Turn it on after the migration.':
      hashIds !== false,
    [`migrateFrom() must be left out when store is ${storeName}: it moves sessions inside Redis. Leave one out.`]:
      store !== 'redis',
    'sessionIdGenerator and sessionIdPattern must be left out as long as there is migrateFrom(): it tells the ids of both libraries apart by their form.':
      sessionIdGenerator !== undefined || sessionIdPattern !== undefined,
  });
}

function connect(
  host: SessionFeatureHost,
  migration: ResolvedMigrationOptions,
  progress: MigrationProgress,
): ConnectedFeature {
  const { setup, isSecure, options, store } = host;
  // Tests keep sessions in memory, whatever the application uses.
  if (!(store instanceof RedisSessionStore)) return {};
  return {
    setup: {
      repository: repositoryOf(host, store, migration, progress),
      sessionIdPattern: FORMER_ID_PATTERN,
      sessionIdResolver: new MigratingSessionIdResolver({
        current: setup.sessionIdResolver,
        former: formerCookie(migration, { ...options.cookie, isSecure }),
        isShared: migration.phase === 'share',
      }),
    },
    stop: () => {
      if (migration.phase === 'move') {
        const { movedCount, unreadableCount } = progress;
        options.logger.warn(
          `Moved ${movedCount} sessions of ${migration.from}; ${unreadableCount} could not be read.`,
        );
      }
      return Promise.resolve();
    },
  };
}

function repositoryOf(
  { setup, options }: SessionFeatureHost,
  { client }: RedisSessionStore,
  migration: ResolvedMigrationOptions,
  progress: MigrationProgress,
): MigratingSessionRepository {
  const current = setup.repository;
  const layout = layoutOf(options, migration);
  hideArguments(client, migration.keyPrefix);
  const commands = new SessionBlobCommands(client, options.commandTimeoutMs);
  const deleteMoved = (id: string) => current.deleteById(id);
  return new MigratingSessionRepository({
    ...{ commands, current, layout },
    former: new BlobSessionRepository({ commands, deleteMoved, layout, options }),
    maxInactiveIntervalSeconds: options.maxInactiveIntervalSeconds,
    onCorrupt: options.onCorrupt,
    onMoved: () => {
      progress.movedCount++;
    },
    onUnmovable: (problem) => {
      progress.unreadableCount++;
      options.logger.warn(
        `Cannot move a session: it is ${problem}. Its client gets a new session.`,
      );
    },
    phase: migration.phase,
  });
}

function layoutOf(
  {
    absoluteTimeoutSeconds = MAX_KEPT_COOKIE_SECONDS,
    cookie: { domain, httpOnly, maxAgeSeconds, path, sameSite, secure },
  }: SessionFeatureHost['options'],
  { keyPrefix, secrets, ttlSeconds }: ResolvedMigrationOptions,
): BlobLayout {
  return {
    cookieMaxAgeSeconds: maxAgeSeconds,
    cookieSettings: {
      ...{ httpOnly, path, ...(domain !== undefined && { domain }) },
      ...(sameSite !== null && { sameSite }),
      ...(secure === true && { secure }),
    },
    keyPrefix,
    maxAgeSeconds: Math.min(absoluteTimeoutSeconds, MAX_KEPT_COOKIE_SECONDS),
    secrets,
    ttlSeconds,
  };
}

/** With the settings of our cookie, but signed as the other library does. */
function formerCookie(
  { cookieName, cookiePrefix, secrets }: ResolvedMigrationOptions,
  cookie: CookieSerializerOptions,
): FormerCookie {
  const cookies = CookieSessionIdResolver.of({
    ...cookie,
    name: cookieName,
    ...{ encoding: 'plain', jvmRoute: undefined, rolling: false, secrets: [] },
  });
  return new FormerCookie(cookies, { prefix: cookiePrefix, secrets });
}
