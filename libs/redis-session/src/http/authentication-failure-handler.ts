import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';
import { CONTINUE_PARAMETER, requestedContinueKey } from './continue-key.js';
import { type HttpExchange } from './http-exchange.js';
import { unauthorizedProblem } from './problem-entry-point.js';
import { redirectAnswer, withQuery } from './redirect.js';
import { isBrowserNavigation } from './request-matchers.js';

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
