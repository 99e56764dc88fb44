import { type SessionLogger } from '../../lib/logger.js';
import {
  RedisSessionError,
  SessionEncodingError,
  SessionInvalidatedError,
  SessionLimitError,
  SessionStoreError,
} from '../../session/session.errors.js';
import { type FailureHandler } from '../response/response-committer.js';
import { type AuthenticationFailureReason } from '../../security/authentication.js';
import { type ProblemAnswer, type ProblemDetails, problemAnswer } from '../answers/http-answer.js';

/** What went wrong with the session of one request, and what that means for its answer. */
export class RequestFailures {
  private outage: SessionStoreError | undefined;
  private failure: unknown;
  /** Has the application answer for a failed save, in place of {@link describe}. */
  handler: FailureHandler | undefined;

  constructor(private readonly logger: SessionLogger) {}

  /** Whether the request goes on without the session that the client may have. */
  get isAnonymous(): boolean {
    return this.outage !== undefined;
  }

  /** The session could not be read, and the request goes on without it: it must not end or replace that session. */
  goOnAnonymously(outage: SessionStoreError): void {
    this.outage = outage;
    this.failure = undefined;
  }

  /** @throws SessionStoreError when the request goes on without its session */
  refuseIfAnonymous(): void {
    if (this.outage) throw this.outage;
  }

  /** @throws SessionStoreError when the store has failed already: a request waits for it once */
  refuseToWaitAgain(): void {
    this.refuseIfAnonymous();
    if (this.failure instanceof SessionStoreError) throw this.failure;
  }

  /** Settles as `operation` of the store does. A success makes up for an earlier failure: the app has tried again. */
  async watchStore<T>(operation: Promise<T>): Promise<T> {
    try {
      const result = await operation;
      this.failure = undefined;
      return result;
    } catch (error) {
      if (error instanceof SessionStoreError || error instanceof SessionLimitError)
        this.failure = error;
      throw error;
    }
  }

  /** Remembers `error` of any kind, and throws it. */
  fail(error: unknown): never {
    this.failure = error;
    throw error;
  }

  /** Whether a response of this status says already what went wrong: the application's own answer to the failure. */
  isToldBy(statusCode: number): boolean {
    return this.failure !== undefined && statusCode >= problemOf(this.failure).status;
  }

  /** Whether an error page blames the application for a failure of the store: an error that no filter knew. */
  isBlamedOnApp(statusCode: number): boolean {
    return this.failure instanceof SessionStoreError && statusCode === 500;
  }

  /** A failure of the answer to a failure is not left to the application again. */
  takeHandler(): FailureHandler | undefined {
    const { handler } = this;
    this.handler = undefined;
    return handler;
  }

  /** The response in place of one that must not be sent. An outage of the store is reported where it is seen. */
  describe(error: unknown): ProblemAnswer {
    if (!(error instanceof SessionStoreError)) this.report(error);
    return failureAnswer(error);
  }

  /** Tells the log that changes are lost. */
  report(error: unknown): void {
    const reason = error instanceof RedisSessionError ? error.message : 'unexpected error';
    this.logger.error(`The session of a request was not saved: ${reason}`);
  }
}

/**
 * Says what a client is told when its session could not be kept. Takes nothing from the error's own message, which may
 * name internal hosts.
 */
export function problemOf(
  error: unknown,
): ProblemDetails & { readonly reason?: AuthenticationFailureReason } {
  if (error instanceof SessionStoreError) {
    return { status: 503, detail: 'The session is not available at the moment. Try again.' };
  }
  if (error instanceof SessionInvalidatedError) {
    return { status: 401, detail: 'The session has ended meanwhile. Log in again.' };
  }
  if (error instanceof SessionLimitError) {
    const detail = 'There are as many sessions of this user as allowed. Log out elsewhere.';
    return { status: 401, detail, reason: 'maximum-sessions' };
  }
  if (error instanceof SessionEncodingError) {
    return { status: 500, detail: 'The session holds a value that cannot be stored.' };
  }
  return { status: 500, detail: 'The session could not be saved.' };
}

/** Makes {@link problemOf} the answer, as problem details (RFC 9457). */
export function failureAnswer(error: unknown): ProblemAnswer {
  const problem = problemOf(error);
  const answer = problemAnswer(problem);
  const retryAfter = problem.status === 503 ? { 'Retry-After': '1' } : {};
  return { ...answer, headers: { ...answer.headers, ...retryAfter } };
}
