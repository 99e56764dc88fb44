import { z } from 'zod';
import { type SessionRequest } from '../http/request/session-request.js';
import {
  type OptionsOf,
  flagOption,
  refuseContradictions,
  resolveOptionGroup,
} from '../lib/option-group.js';
import { type RedisSessionModuleOptions } from '../nest/options/redis-session.options.js';
import {
  type ConnectedFeature,
  type SessionFeature,
  type SessionFeatureHost,
} from '../nest/options/redis-session.options.js';
import { fastifyOf } from '../nest/platform/fastify.js';
import { toHttpException } from '../nest/session-failure.js';
import { runInScope } from '../security/security-context.js';
import { type DecoratableRequests, decorateForFacades } from './fastify-decorators.js';
import {
  PASSPORT_ATTRIBUTE,
  keepSessionUser,
  passportSession,
  serialize,
} from './passport-session.js';
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
  context,
  options,
}: SessionFeatureHost): ConnectedFeature & { attach: Attach } {
  const parts = { ...options, ...context, toError: toHttpException };
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
      session.setAttribute<string>(PASSPORT_ATTRIBUTE, { user: await serialize(user) });
    },
    authenticate: (sessionRequest, next) => {
      const { request, response } = sessionRequest;
      // Whatever the application's serializer waits for may have lost the scope.
      passportSession(request, response, (error) => runInScope(sessionRequest, () => next(error)));
    },
  };
}
