import { Logger, type MiddlewareConsumer } from '@nestjs/common';
import {
  type CookieOptions,
  type ResolvedCookieOptions,
} from '../../http/session-id/cookie-options.js';
import { type SessionIdResolver } from '../../http/session-id/session-id-resolver.js';
import { type StoreUnavailablePolicy } from '../../http/request/session-request-context.js';
import {
  DEFAULT_REDIS_REPOSITORY_OPTIONS,
  type RedisSessionRepositoryOptions,
} from '../../redis/sessions/redis-session-repository.js';
import { type NearCacheRules } from '../../redis/near-cache/near-cache-session-repository.js';
import { type RedisConnection } from '../../redis/client/redis-client.js';
import { type SessionIdGenerator } from '../../session/session-id.js';
import { type FlushMode } from '../../session/modes.js';
import { type SaveMode } from '../../session/modes.js';
import { type SessionCodec } from '../../session/codec.js';
import { type SessionLogger } from '../../lib/logger.js';
import { type CorruptSessionPolicy } from '../../session/stored-session-repository.js';
import { type IndexedSessionOptions, type ResolvedIndexedOptions } from './indexed.options.js';
import {
  type MigrationOptions,
  type ResolvedMigrationOptions,
} from '../../migration/migration.options.js';
import { type NearCacheOptions } from './near-cache.options.js';
import { type ResolvedSecurityOptions, type SecurityOptions } from './security.options.js';
import { type ResolvedWebSocketOptions, type WebSocketOptions } from './web-socket.options.js';

/** A route without sessions: a path, or a path with a method. */
export type ExcludedRoute = Parameters<ReturnType<MiddlewareConsumer['apply']>['exclude']>[number];

/** What `RedisSessionModule.forRoot` takes. The defaults are in {@link DEFAULT_OPTIONS}. */
export interface RedisSessionModuleOptions {
  /**
   * Where Redis is: a url, ioredis options (Sentinel among them), `{ nodes, options }` of a Redis Cluster, or a client of
   * yours, which is then never closed. Required unless `store` is `'memory'`.
   */
  readonly redis?: RedisConnection | undefined;
  /**
   * Seconds after its creation at which a session ends, however active it is. A positive integer.
   * @defaultValue undefined = never
   */
  readonly absoluteTimeoutSeconds?: number | undefined;
  /** Epoch ms. For tests. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined;
  /** How attribute values are stored. @defaultValue JSON */
  readonly codec?: SessionCodec | undefined;
  /**
   * Milliseconds after which a Redis command counts as failed; it can change nothing any more then. A positive integer.
   * @defaultValue 2000
   */
  readonly commandTimeoutMs?: number | undefined;
  /** The session cookie; refused together with `sessionIdResolver`. @defaultValue `DEFAULT_COOKIE_OPTIONS` */
  readonly cookie?: CookieOptions | undefined;
  /** Routes without sessions: nothing is read, nothing is saved, everybody is anonymous. @defaultValue none */
  readonly exclude?: readonly ExcludedRoute[] | undefined;
  /** What the indexed repository does; refused without `repository: 'indexed'`. @defaultValue `DEFAULT_INDEXED_OPTIONS` */
  readonly indexed?: IndexedSessionOptions | undefined;
  /** When changes are written. @defaultValue 'on-save' */
  readonly flushMode?: FlushMode | undefined;
  /**
   * `'eager'` reads the session before the first guard; `'lazy'` when it is first asked for, by `@CurrentSession()`,
   * `@CurrentUser()` or a guarded route: `request.user` and the `SecurityContextHolder` are empty until then.
   * @defaultValue 'eager'
   */
  readonly load?: 'eager' | 'lazy' | undefined;
  /** Where problems are reported. @defaultValue Nest's `Logger` */
  readonly logger?: SessionLogger | undefined;
  /**
   * Seconds without a request after which a session ends. A positive integer, or -1 = never.
   * @defaultValue 1800
   */
  readonly maxInactiveIntervalSeconds?: number | undefined;
  /** Takes over the sessions of express-session or @fastify/session: nobody is logged out. @defaultValue undefined */
  readonly migration?: MigrationOptions | undefined;
  /** Prefix of all keys in Redis. @defaultValue 'nest:session' */
  readonly namespace?: string | undefined;
  /**
   * Keeps sessions in the process that were read, until Redis reports that they have changed: see docs/storage.md. A
   * route with `@FreshSession()` asks Redis all the same. @defaultValue undefined = none
   */
  readonly nearCache?: NearCacheOptions | undefined;
  /**
   * Stored data that cannot be understood: `'new-session'` goes on without it, `'error'` fails the request.
   * @defaultValue 'new-session'
   */
  readonly onCorrupt?: CorruptSessionPolicy | undefined;
  /**
   * Redis cannot be reached when a session is to be read: `'error'` answers 503; `'anonymous'` goes on without a session,
   * and answers 503 only if the request changes one.
   * @defaultValue 'error'
   */
  readonly onStoreUnavailable?: StoreUnavailablePolicy | undefined;
  /**
   * `'default'` keeps each session in a hash; `'indexed'` also finds sessions by user, ends them on time and tells what
   * happens to them. The two do not see each other's sessions.
   * @defaultValue 'default'
   */
  readonly repository?: 'default' | 'indexed' | undefined;
  /**
   * Mounts `passport.session()` right after the session is found, on Express and Fastify: `req.logIn`, `req.logout`, and
   * `req.user` by your `PassportSerializer`. Includes `requestSession`. @defaultValue false
   */
  readonly passportSession?: boolean | undefined;
  /**
   * Gives `req.session`, `@Session()`, `req.sessionID` and `req.sessionStore` as express-session does; the same session as
   * `@CurrentSession()`. A request that does not touch them costs nothing more. @defaultValue false
   */
  readonly requestSession?: boolean | undefined;
  /** Which attributes a save writes. @defaultValue 'on-change' */
  readonly saveMode?: SaveMode | undefined;
  /** Login, logout and protected routes; `false` = sessions alone. @defaultValue {} */
  readonly security?: SecurityOptions | false | undefined;
  /** Makes session ids: unpredictable, 16 to 256 characters of `A-Z a-z 0-9 _ . ~ -`. @defaultValue 32 random bytes in base64url */
  readonly sessionIdGenerator?: SessionIdGenerator | undefined;
  /** What is looked up at all; anything else never reaches Redis. @defaultValue what the generator makes */
  readonly sessionIdPattern?: RegExp | undefined;
  /** How the id travels. @defaultValue in a cookie, see `cookie` */
  readonly sessionIdResolver?: SessionIdResolver | undefined;
  /** `'memory'` keeps sessions in the process: for development and tests, not for more than one replica. @defaultValue 'redis' */
  readonly store?: 'redis' | 'memory' | undefined;
  /**
   * Seconds between two records of the last access; reading requests in between do not write to Redis, and a session may
   * end that much earlier. An integer from 0 (every access is recorded) to below `maxInactiveIntervalSeconds`.
   * @defaultValue 0
   */
  readonly touchIntervalSeconds?: number | undefined;
  /** What becomes of open WebSockets. @defaultValue `DEFAULT_WEB_SOCKET_OPTIONS` */
  readonly webSockets?: WebSocketOptions | undefined;
}

/** The options with their defaults; nothing is left to decide inside. */
export interface ResolvedOptions extends RedisSessionRepositoryOptions {
  readonly cookie: ResolvedCookieOptions;
  readonly exclude: readonly ExcludedRoute[];
  /** undefined = the default repository */
  readonly indexed: ResolvedIndexedOptions | undefined;
  readonly load: 'eager' | 'lazy';
  readonly migration: ResolvedMigrationOptions | undefined;
  readonly nearCache: NearCacheRules | undefined;
  readonly onStoreUnavailable: StoreUnavailablePolicy;
  readonly passportSession: boolean;
  readonly requestSession: boolean;
  readonly redis: RedisConnection | undefined;
  readonly security: ResolvedSecurityOptions | false;
  readonly sessionIdPattern: RegExp;
  readonly sessionIdResolver: SessionIdResolver | undefined;
  readonly store: 'redis' | 'memory';
  readonly webSockets: ResolvedWebSocketOptions;
}

/** The default of every option that has one. */
export const DEFAULT_OPTIONS = {
  ...DEFAULT_REDIS_REPOSITORY_OPTIONS,
  cookie: {},
  exclude: [],
  indexed: undefined,
  load: 'eager',
  logger: new Logger('RedisSession'),
  migration: undefined,
  nearCache: undefined,
  onStoreUnavailable: 'error',
  passportSession: false,
  redis: undefined,
  repository: 'default',
  requestSession: false,
  security: {},
  sessionIdPattern: undefined,
  sessionIdResolver: undefined,
  store: 'redis',
  webSockets: {},
} as const satisfies RedisSessionModuleOptions;
