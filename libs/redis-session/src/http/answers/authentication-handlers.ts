import {
  type Authentication,
  type AuthenticationFailureReason,
} from '../../security/authentication.js';
import { SessionOptionError } from '../../session/session.errors.js';
import {
  CONTINUE_PARAMETER,
  requestedContinueKey,
  type RequestCache,
} from '../saved-requests/request-cache.js';
import { unauthorizedProblem } from './entry-points.js';
import { type HttpExchange, redirectAnswer, withQuery } from './http-exchange.js';
import { isBrowserNavigation } from './request-matchers.js';

/** A login that succeeded, and what is known of where it may lead. */
interface AuthenticationSuccess {
  readonly exchange: HttpExchange;
  readonly authentication: Authentication;
  readonly requestCache: RequestCache;
  readonly defaultSuccessPath: string;
}

/** Decides where a login leads. Mirrors `AuthenticationSuccessHandler` of Spring Security. */
export interface AuthenticationSuccessHandler {
  /** @returns where to redirect to, or undefined to answer with the result of the login's handler */
  onAuthenticationSuccess(
    success: AuthenticationSuccess,
  ): Promise<string | undefined> | string | undefined;
}

/** Leads browsers back to the page that they asked for. Mirrors `SavedRequestAwareAuthenticationSuccessHandler`. */
export const savedRequestSuccessHandler: AuthenticationSuccessHandler = {
  async onAuthenticationSuccess({ exchange, requestCache, defaultSuccessPath }) {
    const saved = await requestCache.getRequest(exchange, requestedContinueKey(exchange));
    if (saved) await requestCache.removeRequest(exchange, saved);
    const isPage = isBrowserNavigation(exchange.request);
    return isPage ? (saved?.url ?? defaultSuccessPath) : undefined;
  },
};

/** Answers a login that failed. Must not wait. Mirrors `AuthenticationFailureHandler` of Spring Security. */
export interface AuthenticationFailureHandler {
  /** Answers. @param reason - `bad-credentials`, or `maximum-sessions` when the user has as many sessions as allowed */
  onAuthenticationFailure(exchange: HttpExchange, reason: AuthenticationFailureReason): void;
}

/** Sends browsers back to the login page, `Location: /login?reason=bad-credentials`, and answers 401 to others. */
export function defaultFailureHandler(loginPage: string | undefined): AuthenticationFailureHandler {
  return {
    onAuthenticationFailure(exchange, reason) {
      if (loginPage === undefined || !isBrowserNavigation(exchange.request)) {
        exchange.answer(unauthorizedProblem(reason));
        return;
      }
      const location = withQuery(loginPage, {
        reason,
        [CONTINUE_PARAMETER]: requestedContinueKey(exchange),
      });
      exchange.answer(redirectAnswer(exchange, location));
    },
  };
}

/** Does something of its own when a user logs out. Mirrors `LogoutHandler` of Spring Security. */
export interface LogoutHandler {
  /**
   * Called when the session is deleted, before the response leaves. A rejection fails the logout.
   *
   * @param authentication - who has logged out; undefined for an anonymous visitor
   */
  logout(exchange: HttpExchange, authentication: Authentication | undefined): void | Promise<void>;
}

const DIRECTIVES = ['cache', 'cookies', 'storage', 'executionContexts', '*'] as const;

/** What a browser is asked to throw away. */
export type ClearSiteDataDirective = (typeof DIRECTIVES)[number];

/**
 * Has the browser throw away what it keeps of the site: pages that the back button would show, local storage. Browsers heed
 * `Clear-Site-Data` over https only, and `cookies` clears those of all subdomains. Mirrors `ClearSiteDataHeaderWriter`.
 *
 * @throws SessionOptionError for an unknown directive, and when there is none
 * @see W3C Clear Site Data §3.1
 */
export function clearSiteData(...directives: readonly ClearSiteDataDirective[]): LogoutHandler {
  const isKnown = directives.every((directive) => DIRECTIVES.includes(directive));
  if (directives.length === 0 || !isKnown) {
    throw new SessionOptionError(
      `clearSiteData must be some of ${DIRECTIVES.join(', ')}, got ${JSON.stringify(directives)}.`,
    );
  }
  const value = directives.map((directive) => `"${directive}"`).join(', ');
  return {
    logout: (exchange) => {
      if (exchange.isSecure) exchange.appendHeader('Clear-Site-Data', value);
    },
  };
}
