/** @module nestjs-redis-session */

// Module
export { RedisSessionModule } from './nest/redis-session.module.js';
export {
  type RedisSessionModuleOptions,
  type RedisSessionOptionsFactory,
  type IndexedSessionOptions,
} from './nest/options/redis-session.options.js';
export { type NearCacheOptions, nearCache } from './nest/options/near-cache.feature.js';
export { type SecurityOptions } from './nest/options/security.options.js';
export { SessionManagementModule } from './nest/management/session-management.module.js';

// In main.ts
export { drainOnShutdown } from './nest/drain-on-shutdown.js';

// In handlers
export { CsrfToken, CsrfTokenService } from './nest/access/csrf.js';
export {
  Authenticated,
  AuthorizeBy,
  FullyAuthenticated,
  Public,
  RequireAnyAuthority,
  RequireAuthorities,
} from './nest/access/authorization.decorators.js';
export { CurrentSecurityContext, CurrentSession, CurrentUser } from './nest/current.decorators.js';
export { FreshSession } from './nest/access/fresh-session.guard.js';
export { LoginGuard } from './nest/login/login.guard.js';
export { OnSessionEvent, SessionEvents } from './nest/management/session-events.service.js';
export { SessionRepositoryInterceptor } from './nest/session-pipeline.js';
export { SecuredMessages } from './nest/messages/secured-messages.decorator.js';

// To inject
export { ExceptionTranslator } from './nest/access/exception-translation.filter.js';
export { LoginService } from './nest/login/login.service.js';
export { LogoutService } from './nest/login/logout.service.js';
export { SecurityEvents } from './nest/access/security-events.service.js';
export { SessionRegistry, type SessionInformation } from './session/session-registry.js';
export { SessionRepository } from './session/session-repository.js';

// Sessions and users
export { type Authentication } from './security/authentication.js';
export { type SecurityContext, SecurityContextHolder } from './security/security-context.js';
export { type SecurityEvent } from './nest/access/security-events.service.js';
export { type Session, type SessionAttributes } from './session/session.js';
export { type SessionEvent } from './session/session-event.js';

// Errors
export {
  AccessDeniedException,
  AuthenticationException,
} from './nest/access/security.exceptions.js';
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
