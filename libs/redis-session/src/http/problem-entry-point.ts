import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';
import { type AuthenticationEntryPoint } from './authentication-entry-point.js';
import { type HttpExchange } from './http-exchange.js';
import { problemAnswer, type ProblemAnswer } from './problem-details.js';

const DETAILS: Readonly<Record<AuthenticationFailureReason, string>> = {
  unauthenticated: 'Log in to use this resource.',
  insufficient: 'Log in again to use this resource.',
  'session-ended': 'The session has ended. Log in again.',
  'signed-out': 'You were signed out elsewhere. Log in again.',
  'maximum-sessions': 'Your account is in use elsewhere, and has as many sessions as allowed.',
  'bad-credentials': 'The login failed.',
};

/**
 * Answers 401 with problem details, for clients that are programs. Without `WWW-Authenticate`: a session has no scheme
 * of RFC 9110, and browsers must not ask for a password on their own.
 */
export class ProblemEntryPoint implements AuthenticationEntryPoint {
  commence(exchange: HttpExchange, reason?: AuthenticationFailureReason): void {
    exchange.answer(unauthorizedProblem(reason));
  }
}

/** The 401 of {@link ProblemEntryPoint}. */
export function unauthorizedProblem(
  reason: AuthenticationFailureReason = 'unauthenticated',
): ProblemAnswer {
  return problemAnswer({ status: 401, detail: DETAILS[reason], reason });
}
