import { type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { CookieSerializer } from '../http/cookie-serializer.js';
import { CookieSessionIdResolver } from '../http/cookie-session-id-resolver.js';
import { type SessionRequestContext } from '../http/session-request-context.js';
import { RedisSessionRepository } from '../redis/redis-session-repository.js';
import { MapSessionRepository } from '../session/map-session-repository.js';
import { SessionRepository } from '../session/session-repository.js';
import { type StoredSessionRepository } from '../session/stored-session-repository.js';
import { ExceptionTranslationFilter } from './exception-translation.filter.js';
import { LoginService } from './login.service.js';
import { LogoutService } from './logout.service.js';
import { HttpPlatform } from './platform/http-platform.js';
import { RedisConnection } from './redis-connection.js';
import { MODULE_OPTIONS_TOKEN } from './redis-session.module-definition.js';
import { type ResolvedOptions, resolveOptions } from './redis-session.options.js';
import { RESOLVED_OPTIONS, SESSION_REQUEST_CONTEXT } from './redis-session.tokens.js';
import { SessionAuthenticationGuard } from './session-authentication.guard.js';
import { SessionRepositoryInterceptor } from './session-repository.interceptor.js';

/** Everything that the module is made of. */
export const REDIS_SESSION_PROVIDERS: Provider[] = [
  { provide: RESOLVED_OPTIONS, useFactory: resolveOptions, inject: [MODULE_OPTIONS_TOKEN] },
  RedisConnection,
  HttpPlatform,
  LoginService,
  LogoutService,
  {
    provide: SessionRepository,
    useFactory: createRepository,
    inject: [RESOLVED_OPTIONS, RedisConnection],
  },
  {
    provide: SESSION_REQUEST_CONTEXT,
    useFactory: createRequestContext,
    inject: [RESOLVED_OPTIONS, SessionRepository, HttpPlatform],
  },
  { provide: APP_INTERCEPTOR, useClass: SessionRepositoryInterceptor },
  // A factory that returns undefined registers nothing: `security: false`.
  {
    provide: APP_GUARD,
    useFactory: (options: ResolvedOptions, reflector: Reflector) =>
      options.security ? new SessionAuthenticationGuard(reflector, options) : undefined,
    inject: [RESOLVED_OPTIONS, Reflector],
  },
  {
    provide: APP_FILTER,
    useFactory: (options: ResolvedOptions, platform: HttpPlatform) =>
      options.security ? new ExceptionTranslationFilter(platform, options) : undefined,
    inject: [RESOLVED_OPTIONS, HttpPlatform],
  },
];

function createRepository(
  options: ResolvedOptions,
  { client }: RedisConnection,
): StoredSessionRepository {
  return client ? new RedisSessionRepository(client, options) : new MapSessionRepository(options);
}

function createRequestContext(
  options: ResolvedOptions,
  repository: StoredSessionRepository,
  platform: HttpPlatform,
): SessionRequestContext {
  const { clock, cookie, logger, onStoreUnavailable, sessionIdPattern, sessionIdResolver } =
    options;
  const isSecure = platform.isSecure.bind(platform);
  return {
    clock,
    logger,
    onStoreUnavailable,
    repository,
    sessionIdPattern,
    sessionIdResolver:
      sessionIdResolver ??
      new CookieSessionIdResolver(new CookieSerializer({ ...cookie, isSecure }), cookie),
  };
}
