import { type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, Reflector } from '@nestjs/core';
import { CookieSerializer } from '../http/session-id/cookie-serializer.js';
import { CookieSessionIdResolver } from '../http/session-id/cookie-session-id-resolver.js';
import { type SessionRequestContext } from '../http/request/session-request-context.js';
import { isSingleServer } from '../redis/client/redis-client.js';
import { RedisIndexedSessionRepository } from '../redis/indexed/redis-indexed-session-repository.js';
import { SessionRegistry } from '../redis/indexed/session-registry.js';
import { SessionEventHandlers } from './management/session-event-handlers.js';
import { SessionEvents } from './management/session-events.service.js';
import { NearCacheSessionRepository } from '../redis/near-cache/near-cache-session-repository.js';
import { RedisSessionRepository } from '../redis/sessions/redis-session-repository.js';
import { MapSessionRepository } from '../session/map-session-repository.js';
import { SessionRepository } from '../session/session-repository.js';
import { type StoredSessionRepository } from '../session/stored-session-repository.js';
import { CsrfGuard } from './access/csrf.guard.js';
import { CsrfTokenService } from './access/csrf-token.service.js';
import { ExceptionTranslationFilter } from './access/exception-translation.filter.js';
import { ExceptionTranslator } from './access/exception-translator.js';
import { LoginFlow } from './login/login-flow.js';
import { SecurityEvents } from './access/security-events.service.js';
import { lateReadListener } from './access/security-context-loader.js';
import { securityContextLoader } from './access/security-context-loader.js';
import { LoginService } from './login/login.service.js';
import { LogoutService } from './login/logout.service.js';
import { OpenSockets } from './messages/open-sockets.js';
import { FreshSessionGuard } from './access/fresh-session.guard.js';
import { HttpPlatform } from './platform/http-platform.js';
import { RedisConnection } from './redis-connection.js';
import { MODULE_OPTIONS_TOKEN } from './redis-session.module-definition.js';
import { type ResolvedOptions } from './options/redis-session.options.js';
import { resolveOptions } from './options/resolve-options.js';
import { RequestSessions } from '../express-session/request-sessions.js';
import { RESOLVED_OPTIONS, SESSION_REQUEST_CONTEXT } from './redis-session.tokens.js';
import { SessionAuthenticationGuard } from './access/session-authentication.guard.js';
import { SessionFailureFilter } from './session-failure.filter.js';
import { SessionMigration } from '../migration/session-migration.service.js';
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
