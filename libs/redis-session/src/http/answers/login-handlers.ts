import {
  type Authentication,
  type AuthenticationFailureReason,
} from '../../security/authentication.js';
import { type HttpExchange } from './http-exchange.js';
import { CONTINUE_PARAMETER, requestedContinueKey } from '../saved-requests/continue-key.js';
import { isBrowserNavigation } from './request-matchers.js';
import { type RequestCache, takeSavedRequest } from '../saved-requests/request-cache.js';
import { unauthorizedProblem } from './entry-points.js';
import { redirectAnswer, withQuery } from './redirect.js';

/** A login that succeeded, and what is known of where it may lead. */
export interface AuthenticationSuccess {
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

/**
 * Leads browsers back to the page that they asked for. Mirrors `SavedRequestAwareAuthenticationSuccessHandler` of Spring
 * Security.
 */
export const savedRequestSuccessHandler: AuthenticationSuccessHandler = {
  async onAuthenticationSuccess({ exchange, requestCache, defaultSuccessPath }) {
    const saved = await takeSavedRequest(requestCache, exchange, requestedContinueKey(exchange));
    const isPage = isBrowserNavigation(exchange.request);
    return isPage ? (saved?.url ?? defaultSuccessPath) : undefined;
  },
};

/** Answers a login that failed. Must not wait. Mirrors `AuthenticationFailureHandler` of Spring Security. */
export interface AuthenticationFailureHandler {
  /** @param reason - `bad-credentials`, or `maximum-sessions` when the user has as many sessions as allowed */
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
