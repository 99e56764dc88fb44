import { type ControllerOptions, Logger, type RequestMethod } from '@nestjs/common';
import { type HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { z } from 'zod';
import { type RequestSetup } from '../../http/request/request-setup.js';
import { type SessionRequest } from '../../http/request/session-request.js';
import {
  type CookieOptions,
  type ResolvedCookieOptions,
} from '../../http/session-id/cookie-options.js';
import { type SessionIdResolver } from '../../http/session-id/session-id-resolver.js';
import { type SessionLogger } from '../../lib/logger.js';
import {
  type OptionsOf,
  flagOption,
  resolveOptionGroup,
  type ResolvedOptionsOf,
  objectOption,
} from '../../lib/option-group.js';
import {
  type DurabilityOptions,
  type ResolvedDurabilityOptions,
} from '../../redis/client/durable-writes.js';
import { type RedisConnection } from '../../redis/client/redis-client.js';
import {
  indexedOptions,
  limitOption,
} from '../../redis/indexed/redis-indexed-session-repository.options.js';
import { redisRepositoryOptionGroup } from '../../redis/sessions/redis-session-repository.js';
import { type Authentication } from '../../security/authentication.js';
import { type SecurityContext } from '../../security/security-context.js';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { type SessionStore } from '../../session/session-store.js';
import { type Session, type SessionView } from '../../session/session.js';
import { type SessionKeeper } from '../../session/stored-session-repository.js';
import { type ResolvedSecurityOptions, type SecurityOptions } from './security.options.js';

/** What `indexed` takes, with `repository: 'indexed'`. */
export const indexedOptionGroup = z.strictObject({
  ...indexedOptions,
  /** How many sessions a user may have, for all users or by the user. -1 means any number. */
  maximumSessions: limitOption<(authentication: Authentication) => number>().default(-1),
  /** Name of this replica, unlike that of any other. A replica that restarts under its name misses no broadcast. */
  replicaName: z.string().min(1).describe('a string that is not empty').default(hostname),
  /** Whether this replica looks for expired sessions. At least one replica must. */
  runsWorker: flagOption.default(true),
});

/** What `indexed` of the module's options takes. */
export interface IndexedSessionOptions extends OptionsOf<typeof indexedOptionGroup> {}

/** {@link IndexedSessionOptions} with their defaults. */
export interface ResolvedIndexedOptions extends ReturnType<typeof resolveIndexedSessionOptions> {}

/** @throws SessionOptionError for the first option that is unknown or wrong */
export function resolveIndexedSessionOptions(options: IndexedSessionOptions) {
  const resolved = resolveOptionGroup(indexedOptionGroup, options, { prefix: 'indexed.' });
  return { ...resolved, maximumSessions: limitOf(resolved.maximumSessions) };
}

function limitOf(maximum: number | ((authentication: Authentication) => number)) {
  if (typeof maximum === 'number') return maximum;
  return (session: SessionView) => {
    const context = session.getAttribute<SecurityContext>(SECURITY_CONTEXT_ATTRIBUTE);
    return context?.authentication ? maximum(context.authentication) : -1;
  };
}

/** What `webSockets` takes, for gateways with `@SecuredMessages()`. */
export const webSocketOptionGroup = z.strictObject({
  /**
   * Whether the sockets of a session are closed on all replicas when the session ends. Needs `repository: 'indexed'`.
   * Sessions then record events, which stay in Redis until they are trimmed: see `indexed.maxEvents`.
   */
  closeWithSession: flagOption.default(false),
  /**
   * Seconds between two messages of a socket that count as an access and keep its session alive. 0: every message does.
   * -1: none does.
   */
  keepAliveSeconds: z
    .int()
    .min(-1)
    .describe('-1 (never) or an integer that is not negative')
    .default(0),
});

/** What `webSockets` of the module's options takes. */
export interface WebSocketOptions extends OptionsOf<typeof webSocketOptionGroup> {}

/** {@link WebSocketOptions} with their defaults. */
export type ResolvedWebSocketOptions = ResolvedOptionsOf<typeof webSocketOptionGroup>;

/** A route without sessions: a path, or a path with a method and, with `enableVersioning()`, a version. */
export type ExcludedRoute =
  | string
  | {
      readonly path: string;
      readonly method: RequestMethod;
      readonly version?: NonNullable<ControllerOptions['version']>;
    };

const routeOption = z.union([z.string(), z.looseObject({ path: z.string(), method: z.number() })]);
const isRoute = (route: unknown): boolean => routeOption.safeParse(route).success;

/** What `RedisSessionModule.forRoot` takes. */
export const moduleOptionGroup = redisRepositoryOptionGroup.extend({
  /**
   * Where Redis is: a url, ioredis options (Sentinel among them), `{ nodes, options }` of a Redis Cluster, or a client of
   * yours, which the module never closes. Required unless `store` is given.
   */
  redis: z
    .union([
      z.string().regex(/^(?:(?:rediss?|unix):\/\/|\/|[\w.-]+(?::\d+)?$)/),
      // ioredis would ignore `url`, which is an option of node-redis, and connect to localhost.
      objectOption<Exclude<RedisConnection, string>>('').refine((given) => !('url' in given)),
    ])
    .describe('a url such as "redis://localhost:6379", ioredis options, cluster nodes or a client')
    .optional(),
  /** The session cookie. Excludes `sessionIdResolver`. */
  cookie: objectOption<CookieOptions>('an object of cookie options').default({}),
  /**
   * Answers logins, logouts and changed ids only once replicas of Redis have them: `{ replicas: 1 }`. A request whose
   * write they do not get in time is answered with 503. Not for a Redis Cluster. Left out, Redis replicates later.
   */
  durability: objectOption<DurabilityOptions>('an object such as { replicas: 1 }').optional(),
  /** Routes without sessions: nothing is read, nothing is saved, everybody is anonymous. */
  exclude: z
    .array(z.custom<ExcludedRoute>(isRoute))
    .readonly()
    .describe('a list of paths, or of { path, method } with a RequestMethod')
    .default([]),
  /** What other entries of the package add, such as `expressSession()`, `migrateFrom({ … })` and `nearCache({ … })`. */
  features: z
    .array(objectOption<SessionFeature>('a feature'))
    .readonly()
    .describe('a list of features, such as [nearCache({ maxSessions: 10_000 })]')
    .default([]),
  /** What the indexed repository does. Needs `repository: 'indexed'`. */
  indexed: objectOption<IndexedSessionOptions>(
    'an object of options of the indexed repository',
  ).optional(),
  /**
   * Whether the global interceptor saves the session after the handler, so that the application's interceptors and
   * exception filters see a save that fails. Without it, the save happens right before the first byte of the response.
   */
  interceptor: flagOption.default(true),
  /**
   * `'eager'` reads the session before the first guard. `'lazy'` reads it when `@CurrentSession()`, `@CurrentUser()` or a
   * guarded route first asks. Until then, `request.user` and the `SecurityContextHolder` are empty.
   */
  load: z.enum(['eager', 'lazy']).default('eager'),
  /** Receives warnings and errors. */
  logger: objectOption<SessionLogger>('an object with warn and error').default(
    () => new Logger('RedisSession'),
  ),
  /**
   * What happens when Redis cannot be reached to read a session. `'error'` answers 503. `'anonymous'` goes on without a
   * session, and answers 503 only if the request changes one.
   */
  onStoreUnavailable: z.enum(['error', 'anonymous']).default('error'),
  /**
   * `'default'` keeps each session in a hash. `'indexed'` also finds sessions by user, ends them on time and tells what
   * happens to them. The two do not see each other's sessions.
   */
  repository: z.enum(['default', 'indexed']).default('default'),
  /** Login, logout and protected routes. False leaves only sessions. */
  security: z
    .union([objectOption<SecurityOptions>('an object of security options'), z.literal(false)])
    .default({}),
  /** The form of an id. Other ids never reach the store. Default: what `sessionIdGenerator` makes. */
  sessionIdPattern: z.instanceof(RegExp).describe('a regular expression').optional(),
  /** How the session id travels. Default: in a cookie, see `cookie`. */
  sessionIdResolver: objectOption<SessionIdResolver>('a SessionIdResolver').optional(),
  /**
   * `'redis'`, a store of another entry or of your own, or `'memory'`, which keeps sessions in the process: for development
   * and tests, not for more than one replica.
   */
  store: z
    .union([z.enum(['redis', 'memory']), objectOption<SessionStore>('a SessionStore')])
    .default('redis'),
  /** What happens to open WebSockets. */
  webSockets: objectOption<WebSocketOptions>('an object of WebSocket options').default({}),
});

/** What `RedisSessionModule.forRoot` takes. */
export interface RedisSessionModuleOptions extends OptionsOf<typeof moduleOptionGroup> {}

/** Makes the options, for `forRootAsync({ useClass })` and `useExisting`. */
export interface RedisSessionOptionsFactory {
  /** Makes the options. Called once, when the application starts. */
  createRedisSessionOptions(): RedisSessionModuleOptions | Promise<RedisSessionModuleOptions>;
}

/** The options with their defaults. Nothing is left to decide inside. */
export interface ResolvedOptions extends Omit<
  ResolvedOptionsOf<typeof moduleOptionGroup>,
  | 'cookie'
  | 'durability'
  | 'indexed'
  | 'repository'
  | 'security'
  | 'sessionIdPattern'
  | 'webSockets'
> {
  readonly cookie: ResolvedCookieOptions;
  /** undefined = no write waits for replicas */
  readonly durability: ResolvedDurabilityOptions | undefined;
  /** undefined = the default repository */
  readonly indexed: ResolvedIndexedOptions | undefined;
  readonly security: ResolvedSecurityOptions | false;
  readonly sessionIdPattern: RegExp;
  readonly webSockets: ResolvedWebSocketOptions;
}

/** Something that the option `features` switches on, and that the module itself knows nothing of. */
export interface SessionFeature {
  /** As the application writes it, such as `expressSession()`. */
  readonly name: string;
  /** Whether ids must be as the feature makes them: the application cannot have longer ones. */
  readonly choosesIds?: boolean;
  /**
   * Sets options, and refuses those that contradict the feature. Called at start, before the options are checked.
   *
   * @throws SessionOptionError naming the feature, the option and the reason
   */
  configure?(options: RedisSessionModuleOptions): RedisSessionModuleOptions;
  /** Makes the repository in place of the one of `store`. It is started and stopped with the application. */
  createRepository?(store: SessionStore, options: ResolvedOptions): SessionKeeper & Lifecycle;
  /** Takes part in the requests of one application. */
  connect?(host: SessionFeatureHost): ConnectedFeature;
}

/** What is started and stopped with the application. If a start fails, all is stopped. A `stop` may take twice `commandTimeoutMs`. */
export interface Lifecycle {
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** The application that a {@link SessionFeature} is connected to. */
export interface SessionFeatureHost {
  readonly adapterHost: HttpAdapterHost;
  readonly setup: RequestSetup;
  /** Whether the client's connection is TLS, through the proxies that the platform trusts. */
  readonly isSecure: (request: IncomingMessage) => boolean;
  readonly options: ResolvedOptions;
  readonly store: SessionStore;
}

/** The part that a {@link SessionFeature} takes in the requests of one application. */
export interface ConnectedFeature extends Lifecycle {
  /** What takes the place of what requests share: another repository, another way for ids to travel. */
  readonly setup?: Partial<RequestSetup>;
  /** Called for each request once its session can be asked for. */
  attach?(sessionRequest: SessionRequest): void;
  /** Keeps `user` in the session in the feature's own way, for a login in a test that sends no request. */
  keepUser?(session: Session, user: object): Promise<void>;
  /** Called for each request once its session is loaded, before all guards. */
  authenticate?(sessionRequest: SessionRequest, next: (error?: unknown) => void): void;
}
