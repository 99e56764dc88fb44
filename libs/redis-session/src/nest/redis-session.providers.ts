import { type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { type RequestSetup } from '../http/request/request-setup.js';
import { SessionRegistry } from '../session/session-registry.js';
import { isIndexed, SessionRepository } from '../session/session-repository.js';
import { SessionOptionError } from '../session/session.errors.js';
import { CsrfGuard, CsrfTokenService } from './access/csrf.js';
import {
  ExceptionTranslationFilter,
  ExceptionTranslator,
  SessionFailureFilter,
} from './access/exception-translation.filter.js';
import { FreshSessionGuard } from './access/fresh-session.guard.js';
import { SecurityEvents } from './access/security-events.service.js';
import { SessionAuthenticationGuard } from './access/session-authentication.guard.js';
import { LoginFlow } from './login/login.guard.js';
import { LoginService } from './login/login.service.js';
import { LogoutMiddleware, LogoutService } from './login/logout.service.js';
import { SessionEvents } from './management/session-events.service.js';
import { OpenSockets } from './messages/open-sockets.js';
import { type ResolvedOptions } from './options/redis-session.options.js';
import { resolveOptions } from './options/resolve-options.js';
import { HttpPlatform } from './http-platform.js';
import {
  MODULE_OPTIONS_TOKEN,
  RESOLVED_OPTIONS,
  REQUEST_SETUP,
} from './redis-session.module-definition.js';
import {
  SessionRepositoryMiddleware,
  SessionRepositoryInterceptor,
  SessionFeatures,
} from './session-pipeline.js';
import { OpenSessionStore } from './session-store.providers.js';

const SERVICES = [
  CsrfTokenService,
  ExceptionTranslator,
  LoginFlow,
  LoginService,
  LogoutService,
  OpenSockets,
  SecurityEvents,
  SessionEvents,
  SessionFeatures,
];

/** What other providers and guards of the application may inject. */
export const EXPORTED_PROVIDERS = [
  ...SERVICES,
  SessionRegistry,
  SessionRepository,
  // For enhancers that gateways and controllers of messages bind themselves, see `@SecuredMessages()`.
  RESOLVED_OPTIONS,
  REQUEST_SETUP,
];

/** Everything that the module is made of. */
export const REDIS_SESSION_PROVIDERS: Provider[] = [
  // What forRoot and forRootAsync provide takes its place.
  { provide: MODULE_OPTIONS_TOKEN, useFactory: refuseBareImport },
  { provide: RESOLVED_OPTIONS, useFactory: resolveOptions, inject: [MODULE_OPTIONS_TOKEN] },
  HttpPlatform,
  OpenSessionStore,
  ...SERVICES,
  LogoutMiddleware,
  SessionRepositoryMiddleware,
  {
    provide: SessionRegistry,
    useFactory: ({ absoluteTimeoutSeconds }: ResolvedOptions, repository: object) =>
      new SessionRegistry(isIndexed(repository) ? repository : undefined, absoluteTimeoutSeconds),
    inject: [RESOLVED_OPTIONS, SessionRepository],
  },
  {
    provide: SessionRepository,
    useFactory: ({ repository }: OpenSessionStore) => repository,
    inject: [OpenSessionStore],
  },
  {
    provide: REQUEST_SETUP,
    useFactory: ({ setup }: SessionFeatures) => setup,
    inject: [SessionFeatures],
  },
  { provide: APP_FILTER, useClass: SessionFailureFilter },
  {
    provide: APP_INTERCEPTOR,
    useFactory: ({ interceptor }: ResolvedOptions) =>
      interceptor ? new SessionRepositoryInterceptor() : undefined,
    inject: [RESOLVED_OPTIONS],
  },
  // Before all that look at the session.
  {
    provide: APP_GUARD,
    useFactory: ({ repository }: OpenSessionStore) =>
      repository.findKept ? new FreshSessionGuard() : undefined,
    inject: [OpenSessionStore],
  },
  // A factory that returns undefined registers nothing: `security: false`.
  {
    provide: APP_GUARD,
    useFactory: ({ security }: ResolvedOptions, tokens: CsrfTokenService) =>
      security && security.csrf ? new CsrfGuard(security.csrf, tokens) : undefined,
    inject: [RESOLVED_OPTIONS, CsrfTokenService],
  },
  {
    provide: APP_GUARD,
    useFactory: (options: ResolvedOptions, setup: RequestSetup, sockets: OpenSockets) =>
      options.security ? new SessionAuthenticationGuard(options, setup, sockets) : undefined,
    inject: [RESOLVED_OPTIONS, REQUEST_SETUP, OpenSockets],
  },
  {
    provide: APP_FILTER,
    useFactory: ({ security }: ResolvedOptions, translator: ExceptionTranslator) =>
      security ? new ExceptionTranslationFilter(translator) : undefined,
    inject: [RESOLVED_OPTIONS, ExceptionTranslator],
  },
];

/** Of the bare class. @throws SessionOptionError in place of Nest's error, which names no module of the application */
function refuseBareImport(): never {
  throw new SessionOptionError(
    'Cannot start RedisSessionModule without options. Import RedisSessionModule.forRoot({ … }) once, in the root module. It is global: no other module imports it.',
  );
}
