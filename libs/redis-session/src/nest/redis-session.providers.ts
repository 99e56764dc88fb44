import { type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, Reflector } from '@nestjs/core';
import { CookieSerializer } from '../http/cookie-serializer.js';
import { CookieSessionIdResolver } from '../http/cookie-session-id-resolver.js';
import { type SessionRequestContext } from '../http/session-request-context.js';
import { isSingleServer } from '../redis/redis-client.js';
import { RedisIndexedSessionRepository } from '../redis/redis-indexed-session-repository.js';
import { SessionRegistry } from '../redis/session-registry.js';
import { SessionEventHandlers } from './session-event-handlers.js';
import { SessionEvents } from './session-events.service.js';
import { NearCacheSessionRepository } from '../redis/near-cache/near-cache-session-repository.js';
import { RedisSessionRepository } from '../redis/redis-session-repository.js';
import { MapSessionRepository } from '../session/map-session-repository.js';
import { SessionRepository } from '../session/session-repository.js';
import { type StoredSessionRepository } from '../session/stored-session-repository.js';
import { CsrfGuard } from './csrf.guard.js';
import { CsrfTokenService } from './csrf-token.service.js';
import { ExceptionTranslationFilter } from './exception-translation.filter.js';
import { ExceptionTranslator } from './exception-translator.js';
import { LoginFlow } from './login-flow.js';
import { SecurityEvents } from './security-events.service.js';
import { lateReadListener } from './late-read-listener.js';
import { securityContextLoader } from './security-context-loader.js';
import { LoginService } from './login.service.js';
import { LogoutService } from './logout.service.js';
import { OpenSockets } from './open-sockets.js';
import { FreshSessionGuard } from './fresh-session.guard.js';
import { HttpPlatform } from './platform/http-platform.js';
import { RedisConnection } from './redis-connection.js';
import { MODULE_OPTIONS_TOKEN } from './redis-session.module-definition.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { resolveOptions } from './resolve-options.js';
import { RequestSessions } from './request-sessions.js';
import { RESOLVED_OPTIONS, SESSION_REQUEST_CONTEXT } from './redis-session.tokens.js';
import { SessionAuthenticationGuard } from './session-authentication.guard.js';
import { SessionFailureFilter } from './session-failure.filter.js';
import { SessionMigration } from './session-migration.service.js';
import { SessionRepositoryMiddleware } from './session-repository.middleware.js';

/** What other providers and guards of the application may inject. */
export const EXPORTED_PROVIDERS = [
  CsrfTokenService,
  ExceptionTranslator,
  LoginFlow,
  LoginService,
  LogoutService,
  OpenSockets,
  // For enhancers that gateways and controllers of messages bind themselves, see `@SecuredMessages()`.
  RESOLVED_OPTIONS,
  SecurityEvents,
  SessionEvents,
  SessionMigration,
  SessionRegistry,
  SESSION_REQUEST_CONTEXT,
  SessionRepository,
];

/** Everything that the module is made of. */
export const REDIS_SESSION_PROVIDERS: Provider[] = [
  { provide: RESOLVED_OPTIONS, useFactory: resolveOptions, inject: [MODULE_OPTIONS_TOKEN] },
  CsrfTokenService,
  ExceptionTranslator,
  HttpPlatform,
  LoginFlow,
  LoginService,
  LogoutService,
  OpenSockets,
  RedisConnection,
  RequestSessions,
  SecurityEvents,
  SessionEventHandlers,
  SessionEvents,
  SessionMigration,
  SessionRepositoryMiddleware,
  {
    provide: SessionRegistry,
    useFactory: createRegistry,
    inject: [RESOLVED_OPTIONS, SessionRepository],
  },
  {
    provide: SessionRepository,
    useFactory: createRepository,
    inject: [RESOLVED_OPTIONS, RedisConnection],
  },
  {
    provide: SESSION_REQUEST_CONTEXT,
    useFactory: createRequestContext,
    inject: [RESOLVED_OPTIONS, SessionRepository, HttpPlatform, SessionMigration],
  },
  { provide: APP_FILTER, useClass: SessionFailureFilter },
  // Before all that look at the session.
  {
    provide: APP_GUARD,
    useFactory: ({ nearCache }: ResolvedOptions, reflector: Reflector) =>
      nearCache ? new FreshSessionGuard(reflector) : undefined,
    inject: [RESOLVED_OPTIONS, Reflector],
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
    useFactory: createGuard,
    inject: [RESOLVED_OPTIONS, Reflector, SESSION_REQUEST_CONTEXT],
  },
  {
    provide: APP_FILTER,
    useFactory: ({ security }: ResolvedOptions, translator: ExceptionTranslator) =>
      security ? new ExceptionTranslationFilter(translator) : undefined,
    inject: [RESOLVED_OPTIONS, ExceptionTranslator],
  },
];

function createGuard(
  options: ResolvedOptions,
  reflector: Reflector,
  context: SessionRequestContext,
): SessionAuthenticationGuard | undefined {
  if (!options.security) return undefined;
  return new SessionAuthenticationGuard(options, reflector, context);
}

/** A visitor's session may have an idle time of its own; the login gives it that of a user. */
function createRepository(
  options: ResolvedOptions,
  connection: RedisConnection,
): StoredSessionRepository {
  const { client } = connection;
  const { nearCache, security, maxInactiveIntervalSeconds } = options;
  const anonymous = security ? security.anonymousMaxInactiveIntervalSeconds : undefined;
  const ofVisitors = {
    ...options,
    maxInactiveIntervalSeconds: anonymous ?? maxInactiveIntervalSeconds,
  };
  if (client && options.indexed) {
    const { eventDelivery } = options.indexed;
    // Sockets are closed by events, whether or not the application asks for any.
    const isForSockets = eventDelivery === 'none' && options.webSockets.closeWithSession;
    return new RedisIndexedSessionRepository(client, {
      ...ofVisitors,
      ...options.indexed,
      eventDelivery: isForSockets ? 'broadcast' : eventDelivery,
    });
  }
  if (client && nearCache && isSingleServer(client)) {
    const repository = new NearCacheSessionRepository(client, ofVisitors, nearCache);
    connection.accompany(repository);
    return repository;
  }
  return client
    ? new RedisSessionRepository(client, ofVisitors)
    : new MapSessionRepository(ofVisitors);
}

function createRegistry(
  { absoluteTimeoutSeconds }: ResolvedOptions,
  repository: StoredSessionRepository,
): SessionRegistry {
  const isIndexed = repository instanceof RedisIndexedSessionRepository;
  return new SessionRegistry(isIndexed ? repository : undefined, absoluteTimeoutSeconds);
}

function createRequestContext(
  options: ResolvedOptions,
  repository: StoredSessionRepository,
  platform: HttpPlatform,
  migration: SessionMigration,
): SessionRequestContext {
  const { sessionIdResolver } = options;
  const cookie = { ...options.cookie, isSecure: platform.isSecure.bind(platform) };
  const context = {
    ...options,
    loadSecurityContext: securityContextLoader(options),
    onSessionRead: lateReadListener(options),
    repository,
    sessionIdResolver:
      sessionIdResolver ?? new CookieSessionIdResolver(new CookieSerializer(cookie), cookie),
  };
  return migration.takeOver(context, cookie);
}
