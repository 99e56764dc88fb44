import { type LogoutHandler } from '../http/answers/authentication-handlers.js';

/** The remember-me cookie as Spring sets it. */
export interface RememberMeCookieOptions {
  /** @defaultValue 'remember-me' */
  readonly name?: string;
  /** The context path of the Spring application. @defaultValue '/' */
  readonly path?: string;
  /** `rememberMeCookieDomain` of Spring. @defaultValue the host of the request */
  readonly domain?: string;
}

/**
 * Has the browser forget the remember-me cookie of Spring at a logout. Without it, a user who logs out at Nest is logged in
 * again by the next request to Spring.
 *
 * Mirrors `AbstractRememberMeServices.logout` of Spring Security.
 */
export function forgetRememberMe({
  name = 'remember-me',
  path = '/',
  domain,
}: RememberMeCookieOptions = {}): LogoutHandler {
  const ofDomain = domain === undefined ? '' : `; Domain=${domain}`;
  const line = `${name}=; Max-Age=0; Path=${path}${ofDomain}; HttpOnly`;
  return {
    logout: (exchange) => {
      exchange.appendHeader('Set-Cookie', exchange.isSecure ? `${line}; Secure` : line);
    },
  };
}
