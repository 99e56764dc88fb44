import { type INestApplication } from '@nestjs/common';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import passport from 'passport';
import { z } from 'zod';
import { SessionRequest } from '../http/request/session-request.js';
import {
  type OptionsOf,
  flagOption,
  refuseContradictions,
  resolveOptionGroup,
} from '../lib/option-group.js';
import { toHttpException } from '../nest/access/security.exceptions.js';
import { fastifyOf } from '../nest/http-platform.js';
import {
  type RedisSessionModuleOptions,
  type ConnectedFeature,
  type SessionFeature,
  type SessionFeatureHost,
  type ResolvedOptions,
} from '../nest/options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../nest/redis-session.module-definition.js';
import { SessionRepositoryMiddleware, toFunction } from '../nest/session-pipeline.js';
import { runInScope } from '../security/security-context.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type SessionMiddleware } from './connect/connect-session.js';
import { CurrentFacade, attachFacade } from './current-facade.js';
import { FacadeStore } from './facade-store.js';

/** What `expressSession` takes. */
export const expressSessionOptionGroup = z.strictObject({
  /**
   * Mounts `passport.session()` right after the session is found, on Express and Fastify: `req.logIn`, `req.logout`, and
   * `req.user` by your `PassportSerializer`.
   */
  passport: flagOption.default(false),
});

/** What {@link expressSession} takes. */
export interface ExpressSessionOptions extends OptionsOf<typeof expressSessionOptionGroup> {}

/**
 * Gives requests `req.session`, `@Session()`, `req.sessionID` and `req.sessionStore` as express-session does: the same session
 * as `@CurrentSession()`. A request that does not touch them costs nothing more.
 *
 * ```ts
 * RedisSessionModule.forRoot({ redis, features: [expressSession({ passport: true })] })
 * ```
 *
 * @throws SessionOptionError naming the option that is unknown, wrong, or contradicts another
 */
export function expressSession(options: ExpressSessionOptions = {}): SessionFeature {
  const { passport } = resolveOptionGroup(expressSessionOptionGroup, options, {
    prefix: 'expressSession.',
  });
  return {
    name: EXPRESS_SESSION,
    configure(moduleOptions) {
      refuseLateAndPartial(moduleOptions);
      return moduleOptions;
    },
    connect: (host) => (passport ? connectPassport(connect(host)) : connect(host)),
  };
}

const EXPRESS_SESSION = 'expressSession()';

/** `req.session` cannot wait for a session to be read, and its users change values in place. */
function refuseLateAndPartial({ load, saveMode }: RedisSessionModuleOptions): void {
  refuseContradictions({
    'load must be "eager" with expressSession(), got "lazy".': load === 'lazy',
    'saveMode must be "on-change" with expressSession(), got "on-set-attribute": req.session.cart.push(item) would not be saved.':
      saveMode === 'on-set-attribute',
  });
}

type Attach = (sessionRequest: SessionRequest) => void;

function connect({
  adapterHost,
  setup,
  options,
}: SessionFeatureHost): ConnectedFeature & { attach: Attach } {
  const parts = { ...options, ...setup, toError: toHttpException };
  const store = new FacadeStore(parts);
  return {
    attach: (sessionRequest) => {
      attachFacade(sessionRequest.request, new CurrentFacade(sessionRequest, parts), store);
    },
    start: () => {
      const fastify = fastifyOf<DecoratableRequests>(adapterHost);
      if (fastify) decorateForFacades(fastify);
      return Promise.resolve();
    },
  };
}

function connectPassport(feature: ConnectedFeature & { attach: Attach }): ConnectedFeature {
  return {
    ...feature,
    attach: (sessionRequest) => {
      feature.attach(sessionRequest);
      keepSessionUser(sessionRequest.request);
    },
    keepUser: async (session, user) => {
      session.setAttribute<object>(PASSPORT_ATTRIBUTE, { user: await serialize(user) });
    },
    authenticate: (sessionRequest, next) => {
      const { request, response } = sessionRequest;
      // Whatever the application's serializer waits for may have lost the scope.
      passportSession(request, response, (error) => runInScope(sessionRequest, () => next(error)));
    },
  };
}

type Next = (error?: unknown) => void;
type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/** Under this attribute passport keeps `{"user":…}`, what the serializer made of the user. */
const PASSPORT_ATTRIBUTE = 'passport';

/** Has passport put the user of the session on the request, by the application's `PassportSerializer`. */
export const passportSession = passport.session() as Middleware;

/**
 * `AuthGuard('session')` of @nestjs/passport ends with `request.user = undefined`, because the strategy passes without
 * giving a user. What the session still vouches for stays.
 *
 * @see https://github.com/nestjs/passport/issues/1505
 */
function keepSessionUser(request: IncomingMessage): void {
  let user: unknown;
  Object.defineProperty(request, 'user', {
    configurable: true,
    enumerable: true,
    get: () => user,
    set: (value: unknown) => {
      if (value !== undefined || !hasSessionUser(request)) user = value;
    },
  });
}

function hasSessionUser(request: IncomingMessage): boolean {
  const session = SessionRequest.of(request)?.currentSession;
  const kept = session?.getAttribute<{ readonly user?: unknown } | null>(PASSPORT_ATTRIBUTE);
  return kept?.user !== undefined;
}

/** What the application's `PassportSerializer` makes of `user`. */
export function serialize(user: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    passport.serializeUser(user, (error: Error | null, id?: unknown) => {
      if (error) reject(error);
      else resolve(id);
    });
  });
}

type Accessor = {
  getter: (this: RawHolder) => unknown;
  setter: (this: RawHolder, value: unknown) => void;
};

interface RawHolder {
  readonly raw: Record<string, unknown>;
}

/** What is used of a Fastify instance. */
export interface DecoratableRequests {
  decorateRequest(name: string, accessor: Accessor): unknown;
  hasRequestDecorator(name: string): boolean;
}

/** Properties that express-session and passport put on a request. */
const SHARED_PROPERTIES = [
  ...['session', 'sessionID', 'sessionStore', 'user', '_sessionManager'],
  ...['login', 'logIn', 'logout', 'logOut', 'isAuthenticated', 'isUnauthenticated'],
];

/**
 * Makes Fastify's request show what middleware has put on the raw request.
 *
 * @throws SessionOptionError when another session plugin has been here
 */
function decorateForFacades(fastify: DecoratableRequests): void {
  if (fastify.hasRequestDecorator('session')) {
    throw new SessionOptionError(
      'Cannot use expressSession(): another plugin already gives requests a session. Do not register @fastify/session.',
    );
  }
  for (const name of SHARED_PROPERTIES) {
    if (!fastify.hasRequestDecorator(name)) fastify.decorateRequest(name, rawProperty(name));
  }
}

function rawProperty(name: string): Accessor {
  return {
    getter() {
      return this.raw[name];
    },
    setter(value) {
      this.raw[name] = value;
    },
  };
}

/**
 * The middleware of `RedisSessionModule` for `app.use`, when other middleware of main.ts needs the session:
 *
 * ```ts
 * app.use(redisSession(app), csrf(), passport.session());
 * ```
 *
 * @throws SessionOptionError with the option `exclude`: at this place routes are not known yet
 */
export function redisSession(app: INestApplication): SessionMiddleware {
  const options = app.get<ResolvedOptions>(RESOLVED_OPTIONS, { strict: false });
  if (options.exclude.length > 0) {
    throw new SessionOptionError(
      'exclude must be left out when app.use(redisSession(app)) is used: routes are not known there.',
    );
  }
  return toFunction(app.get(SessionRepositoryMiddleware, { strict: false }));
}
