import { type LogoutHandler } from '../http/answers/authentication-handlers.js';

/** The remember-me cookie as Spring sets it. */
export interface RememberMeCookieOptions {
  /** @defaultValue 'remember-me' */
  readonly name?: string;
  /** The context path of the Spring application. @defaultValue '/' */
  readonly path?: string;
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
}: RememberMeCookieOptions = {}): LogoutHandler {
  return {
    logout: (exchange) => {
      exchange.appendHeader('Set-Cookie', `${name}=; Max-Age=0; Path=${path}; HttpOnly`);
    },
  };
}
