import { CONTINUE_PARAMETER, requestedContinueKey } from './continue-key.js';
import { type HttpExchange } from './http-exchange.js';
import { unauthorizedProblem } from './problem-entry-point.js';
import { redirectAnswer, withQuery } from './redirect.js';
import { isBrowserNavigation } from './request-matchers.js';

/** Answers a login that failed. Must not wait. Mirrors `AuthenticationFailureHandler` of Spring Security. */
export interface AuthenticationFailureHandler {
  onAuthenticationFailure(exchange: HttpExchange): void;
}

/** Sends browsers back to the login page, `Location: /login?reason=bad-credentials`, and answers 401 to others. */
export function defaultFailureHandler(loginPage: string | undefined): AuthenticationFailureHandler {
  return {
    onAuthenticationFailure(exchange) {
      if (loginPage === undefined || !isBrowserNavigation(exchange.request)) {
        exchange.answer(unauthorizedProblem('bad-credentials'));
        return;
      }
      const location = withQuery(loginPage, {
        reason: 'bad-credentials',
        [CONTINUE_PARAMETER]: requestedContinueKey(exchange),
      });
      exchange.answer(redirectAnswer(exchange, location));
    },
  };
}
