import { ForbiddenException, UnauthorizedException, HttpException } from '@nestjs/common';
import { type AccessDenial } from '../../http/answers/access-denied-handler.js';
import { problemOf } from '../../http/request/failures.js';
import { type AuthenticationFailureReason } from '../../security/authentication.js';
import { RedisSessionError } from '../../session/session.errors.js';

/** The request needs a user: nobody is logged in, or the login failed. 401. Mirrors `AuthenticationException`. */
export class AuthenticationException extends UnauthorizedException {}

/** The login failed. It is answered where it happened; the request is not kept for later. */
export class LoginFailedException extends AuthenticationException {
  constructor(
    readonly reason: AuthenticationFailureReason,
    options?: { readonly cause?: unknown },
  ) {
    super('The login failed.', options);
  }
}

/** Somebody else has ended the session. */
export class SessionEndedException extends AuthenticationException {
  constructor(
    readonly reason: AuthenticationFailureReason,
    options: { readonly cause?: unknown } = {},
    message = 'The session was ended. Log in again.',
  ) {
    super(message, options);
  }
}

/** The client still holds the id of a session that has ended. */
export class InvalidSessionException extends AuthenticationException {}

/** The user may not do this. 403. Mirrors `AccessDeniedException`. */
export class AccessDeniedException extends ForbiddenException {
  /** @param target - the protected code, such as `AdminController.page`, for the audit log */
  constructor(
    message?: string,
    readonly target = 'unknown',
  ) {
    super(message);
  }
}

/** The request may have been forged by another site. It is refused, whoever is logged in. */
export class CsrfException extends AccessDeniedException {
  constructor(
    readonly denial: AccessDenial,
    target?: string,
  ) {
    super(denial.detail, target);
  }
}

/**
 * Finds what a security exception there is in the chain of causes; the outermost one wins, an
 * {@link AuthenticationException} before an {@link AccessDeniedException}. Mirrors `ThrowableAnalyzer`.
 */
export function findSecurityException(
  error: unknown,
): AuthenticationException | AccessDeniedException | undefined {
  const chain = causeChain(error);
  return (
    chain.find((cause) => cause instanceof AuthenticationException) ??
    chain.find((cause) => cause instanceof AccessDeniedException)
  );
}

function causeChain(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && !chain.includes(cause); cause = cause.cause) {
    chain.push(cause);
  }
  return chain;
}

/** Makes of the failure of a session that is nobody's mistake an exception that filters know: 503 or 401. Others stay. */
export function toHttpException(error: unknown): unknown {
  if (!(error instanceof RedisSessionError)) return error;
  const { status, detail, reason } = problemOf(error);
  if (status === 500) return error;
  if (reason) return new SessionEndedException(reason, { cause: error }, detail);
  if (status === 401) return new InvalidSessionException(detail, { cause: error });
  return new HttpException(detail, status, { cause: error });
}
