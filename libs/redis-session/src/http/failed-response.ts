import {
  SessionEncodingError,
  SessionInvalidatedError,
  SessionLimitError,
  SessionStoreError,
} from '../session/session.errors.js';
import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';
import { problemAnswer } from './problem-details.js';
import { type FailedResponse } from './response-committer.js';

/** The status and the sentence that tell a client of a session that could not be kept. */
export interface SessionFailure {
  readonly statusCode: number;
  readonly detail: string;
  /** For programs: which of the causes of that status. */
  readonly reason?: AuthenticationFailureReason;
}

/** Nothing of the error's own message: it may name internal hosts. */
export function describeSessionFailure(error: unknown): SessionFailure {
  if (error instanceof SessionStoreError) {
    return { statusCode: 503, detail: 'The session is not available at the moment. Try again.' };
  }
  if (error instanceof SessionInvalidatedError) {
    return { statusCode: 401, detail: 'The session has ended meanwhile. Log in again.' };
  }
  if (error instanceof SessionLimitError) {
    const detail = 'There are as many sessions of this user as allowed.';
    return { statusCode: 401, detail, reason: 'maximum-sessions' };
  }
  const detail =
    error instanceof SessionEncodingError
      ? 'The session holds a value that cannot be stored.'
      : 'The session could not be saved.';
  return { statusCode: 500, detail };
}

/** As problem details, RFC 9457. */
export function toFailedResponse(error: unknown): FailedResponse {
  const { statusCode, detail, reason } = describeSessionFailure(error);
  const answer = problemAnswer({ status: statusCode, detail, reason });
  const retryAfter = statusCode === 503 ? { 'Retry-After': '1' } : {};
  return { ...answer, headers: { ...answer.headers, ...retryAfter } };
}
