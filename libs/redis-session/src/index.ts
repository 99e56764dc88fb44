// Module
export { RedisSessionModule } from './nest/redis-session.module.js';
export {
  DEFAULT_OPTIONS,
  type RedisSessionModuleOptions,
} from './nest/options/redis-session.options.js';

export { type IndexedSessionOptions } from './nest/options/indexed.options.js';
export { type NearCacheOptions } from './nest/options/near-cache.options.js';
export {
  SessionManagementModule,
  type SessionManagementOptions,
} from './nest/management/session-management.module.js';
// For applications that come from express-session
export { redisSession } from './express-session/redis-session.middleware.js';
export { session, type SessionMiddleware } from './express-session/connect/connect-session.js';
export { type ConnectSessionOptions } from './express-session/connect/connect-session.options.js';
export { type MigrationOptions } from './migration/migration.options.js';
export { SessionMigration } from './migration/session-migration.service.js';
export {
  type DoneCallback,
  type ExpressSession,
  type ExpressSessionCookie,
} from './express-session/express-session.js';

// In handlers
export { CsrfToken } from './nest/access/csrf-token.service.js';
export { CurrentSession } from './nest/access/current.decorators.js';
export { CurrentUser } from './nest/access/current.decorators.js';
export { CurrentSecurityContext } from './nest/access/current.decorators.js';
export {
  Authenticated,
  AuthorizeBy,
  FullyAuthenticated,
  Public,
  RequireAnyAuthority,
  RequireAuthorities,
} from './nest/access/authorization.decorators.js';
export { FreshSession } from './nest/access/fresh-session.guard.js';
export { LoginGuard } from './nest/login/login.guard.js';
export { SecuredMessages } from './nest/messages/secured-messages.decorator.js';
export { LoginService } from './nest/login/login.service.js';
export { LogoutService } from './nest/login/logout.service.js';
export {
  AccessDeniedException,
  AuthenticationException,
} from './nest/access/security.exceptions.js';

// Around the security of a request
export { type CsrfOptions, DEFAULT_CSRF_OPTIONS } from './nest/options/security.options.js';
export { CsrfTokenService } from './nest/access/csrf-token.service.js';
export { ExceptionTranslator } from './nest/access/exception-translator.js';
export { SecurityEvents } from './nest/access/security-events.service.js';
export { type RpcAuthentication, type SecurityOptions } from './nest/options/security.options.js';
export {
  type AccessDeniedHandler,
  defaultAccessDeniedHandler,
} from './http/answers/access-denied-handler.js';
export { type AuthenticationEntryPoint } from './http/answers/entry-points.js';
export { type AuthenticationFailureHandler } from './http/answers/login-handlers.js';
export { type AuthenticationSuccessHandler } from './http/answers/login-handlers.js';
export { BasicEntryPoint } from './http/answers/entry-points.js';
export { clearSiteData } from './http/answers/logout-handler.js';
export { CookieRequestCache } from './http/saved-requests/cookie-request-cache.js';
export { DelegatingEntryPoint } from './http/answers/entry-points.js';
export { type HttpExchange } from './http/answers/http-exchange.js';
export { LoginPageEntryPoint } from './http/answers/entry-points.js';
export { type LogoutHandler } from './http/answers/logout-handler.js';
export { ProblemEntryPoint } from './http/answers/entry-points.js';
export { type RequestCache } from './http/saved-requests/request-cache.js';
export { SessionRequestCache } from './http/saved-requests/session-request-cache.js';

// Sessions
export { type Session, type SessionAttributes } from './session/session.js';
export { SessionRepository } from './session/session-repository.js';
export { type SessionCodec } from './session/codec.js';
export { SaveMode } from './session/modes.js';
export { FlushMode } from './session/modes.js';
export {
  type SessionRepositoryOptions,
  StoredSessionRepository,
} from './session/stored-session-repository.js';
export {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from './session/session-change.js';
export { MapSessionRepository } from './session/map-session-repository.js';
export { RedisSessionRepository } from './redis/sessions/redis-session-repository.js';
export {
  RedisSessionError,
  SessionCorruptError,
  SessionEncodingError,
  SessionInvalidatedError,
  SessionLimitError,
  SessionOptionError,
  SessionResponseCommittedError,
  SessionStoreError,
} from './session/session.errors.js';

export { RedisIndexedSessionRepository } from './redis/indexed/redis-indexed-session-repository.js';
export { SessionRegistry, type SessionInformation } from './redis/indexed/session-registry.js';
export { SessionEvents } from './nest/management/session-events.service.js';
export { OnSessionEvent } from './nest/management/session-event-handlers.js';
export { type SessionEvent } from './session/session-event.js';
export { type SessionPage } from './session/session-repository.js';

// Security
export { type Authentication } from './security/authentication.js';
export { type SecurityEvent } from './security/security-events.js';
export { type SecurityContext } from './security/security-context.js';
export { SecurityContextHolder } from './security/security-context.js';

// How the session id travels
export { type CookieOptions } from './http/session-id/cookie-options.js';
export { type SessionIdResolver } from './http/session-id/session-id-resolver.js';
export { CookieSessionIdResolver } from './http/session-id/cookie-session-id-resolver.js';
export { HeaderSessionIdResolver } from './http/session-id/header-session-id-resolver.js';
export { CompositeSessionIdResolver } from './http/session-id/composite-session-id-resolver.js';
