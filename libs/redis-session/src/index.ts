// Module
export { RedisSessionModule } from './nest/redis-session.module.js';
export { DEFAULT_OPTIONS, type RedisSessionModuleOptions } from './nest/redis-session.options.js';

export { type IndexedSessionOptions } from './nest/indexed.options.js';
export { type NearCacheOptions } from './nest/near-cache.options.js';
export {
  SessionManagementModule,
  type SessionManagementOptions,
} from './nest/session-management.module.js';
// For applications that come from express-session
export { redisSession } from './nest/redis-session.middleware.js';
export { session, type SessionMiddleware } from './http/connect-session/connect-session.js';
export { type ConnectSessionOptions } from './http/connect-session/connect-session.options.js';
export { type MigrationOptions } from './nest/migration.options.js';
export { SessionMigration } from './nest/session-migration.service.js';
export {
  type DoneCallback,
  type ExpressSession,
  type ExpressSessionCookie,
} from './http/express-session/express-session.js';

// In handlers
export { CsrfToken } from './nest/csrf-token.decorator.js';
export { CurrentSession } from './nest/current-session.decorator.js';
export { CurrentUser } from './nest/current-user.decorator.js';
export { CurrentSecurityContext } from './nest/current-security-context.decorator.js';
export {
  Authenticated,
  AuthorizeBy,
  FullyAuthenticated,
  Public,
  RequireAnyAuthority,
  RequireAuthorities,
} from './nest/authorization.decorators.js';
export { FreshSession } from './nest/fresh-session.decorator.js';
export { LoginGuard } from './nest/login.guard.js';
export { SecuredMessages } from './nest/secured-messages.decorator.js';
export { LoginService } from './nest/login.service.js';
export { LogoutService } from './nest/logout.service.js';
export { AccessDeniedException, AuthenticationException } from './nest/security.exceptions.js';

// Around the security of a request
export { type CsrfOptions, DEFAULT_CSRF_OPTIONS } from './nest/csrf.options.js';
export { CsrfTokenService } from './nest/csrf-token.service.js';
export { ExceptionTranslator } from './nest/exception-translator.js';
export { SecurityEvents } from './nest/security-events.service.js';
export { type RpcAuthentication, type SecurityOptions } from './nest/security.options.js';
export {
  type AccessDeniedHandler,
  defaultAccessDeniedHandler,
} from './http/access-denied-handler.js';
export { type AuthenticationEntryPoint } from './http/authentication-entry-point.js';
export { type AuthenticationFailureHandler } from './http/authentication-failure-handler.js';
export { type AuthenticationSuccessHandler } from './http/authentication-success-handler.js';
export { BasicEntryPoint } from './http/basic-entry-point.js';
export { clearSiteData } from './http/clear-site-data.js';
export { CookieRequestCache } from './http/cookie-request-cache.js';
export { DelegatingEntryPoint } from './http/delegating-entry-point.js';
export { type HttpExchange } from './http/http-exchange.js';
export { LoginPageEntryPoint } from './http/login-page-entry-point.js';
export { type LogoutHandler } from './http/logout-handler.js';
export { ProblemEntryPoint } from './http/problem-entry-point.js';
export { type RequestCache } from './http/request-cache.js';
export { SessionRequestCache } from './http/session-request-cache.js';

// Sessions
export { type Session, type SessionAttributes } from './session/session.js';
export { SessionRepository } from './session/session-repository.js';
export { type SessionCodec } from './session/session-codec.js';
export { SaveMode } from './session/save-mode.js';
export { FlushMode } from './session/flush-mode.js';
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
export { RedisSessionRepository } from './redis/redis-session-repository.js';
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

export { RedisIndexedSessionRepository } from './redis/redis-indexed-session-repository.js';
export { SessionRegistry, type SessionInformation } from './redis/session-registry.js';
export { SessionEvents } from './nest/session-events.service.js';
export { OnSessionEvent } from './nest/on-session-event.decorator.js';
export { type SessionEvent } from './session/session-event.js';
export { type SessionPage } from './session/find-by-index.js';

// Security
export { type Authentication } from './security/authentication.js';
export { type SecurityEvent } from './security/security-events.js';
export { type SecurityContext } from './security/security-context.js';
export { SecurityContextHolder } from './security/security-context-holder.js';

// How the session id travels
export { type CookieOptions } from './http/cookie-serializer.options.js';
export { type SessionIdResolver } from './http/session-id-resolver.js';
export { CookieSessionIdResolver } from './http/cookie-session-id-resolver.js';
export { HeaderSessionIdResolver } from './http/header-session-id-resolver.js';
export { CompositeSessionIdResolver } from './http/composite-session-id-resolver.js';
