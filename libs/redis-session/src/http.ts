// How the session id travels
export { type CookieOptions } from './http/session-id/cookie-options.js';
export {
  type SessionIdAnnouncement,
  type SessionIdResolver,
  CompositeSessionIdResolver,
  HeaderSessionIdResolver,
  CookieSessionIdResolver,
} from './http/session-id/session-id-resolver.js';

// Where a client is led
export {
  type AccessDenial,
  type AccessDeniedHandler,
  defaultAccessDeniedHandler,
} from './http/answers/access-denied-handler.js';
export {
  type AuthenticationEntryPoint,
  BasicEntryPoint,
  DelegatingEntryPoint,
  LoginPageEntryPoint,
  ProblemEntryPoint,
} from './http/answers/entry-points.js';
export {
  type AuthenticationFailureHandler,
  type AuthenticationSuccessHandler,
  type LogoutHandler,
  clearSiteData,
} from './http/answers/authentication-handlers.js';
export { type HttpExchange } from './http/answers/http-exchange.js';

// The page that was asked for before the login
export {
  type RequestCache,
  setContinueKey,
  type SavedRequest,
} from './http/saved-requests/request-cache.js';
export { toSafeReturnPath } from './http/saved-requests/safe-return-path.js';
export { CookieRequestCache } from './http/saved-requests/cookie-request-cache.js';
export { SessionRequestCache } from './http/saved-requests/session-request-cache.js';
