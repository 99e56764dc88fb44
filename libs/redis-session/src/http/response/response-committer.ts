import { type ServerResponse } from 'node:http';
import type { ProblemAnswer } from '../answers/http-answer.js';
import { detachSetCookie } from './response-head.js';

/** Has the application answer for a save that failed with `error`. */
export type FailureHandler = (error: unknown) => void;

/** What a `CommittedResponse` asks before it lets a response leave. */
export interface ResponseCommitter {
  /** Whether something must be saved before the next byte may leave; asked at the first byte and at the end. */
  needsCommit(): boolean;
  /** Saves; resolves when the response may leave, rejects when it must not. Must end by its own deadline. */
  commit(): Promise<void>;
  /** Whether `writeHeaders` has something to add; asked right before the status line is written. */
  hasHeadersToWrite(): boolean;
  /** Adds headers (Set-Cookie) to those of the app; called at most once, right before the status line is written. */
  writeHeaders(response: ServerResponse): void;
  /**
   * What answers for a failed save on a response of which nothing has left, once: the application's own error handling.
   * undefined = `describeFailure` does.
   */
  takeFailureHandler?(): FailureHandler | undefined;
  /** What is sent instead of the prepared response, because `commit` rejected with `error`. Content-Length is added. */
  describeFailure(error: unknown): ProblemAnswer;
  /** Hears of a save that failed when no other response could be sent any more; for the log. */
  onLateFailure(error: unknown): void;
}

const UNDESCRIBED_FAILURE: ProblemAnswer = { statusCode: 503, headers: {}, body: '' };

/** Asks a `ResponseCommitter` so that nothing which it throws gets lost or takes the process down. */
export class CarefulCommitter {
  private refusal: Error | undefined;

  constructor(private readonly committer: ResponseCommitter) {}

  /** True also when it cannot be told, and then `save` rejects. */
  needsCommit(): boolean {
    try {
      return this.committer.needsCommit();
    } catch (error) {
      this.refusal = toError(error);
      return true;
    }
  }

  /**
   * Saves again what was changed meanwhile when `isComplete` then says that the response has its end. Twice at most: a committer
   * that always wants to save must not hold a response for ever.
   */
  async save(isComplete: () => boolean): Promise<void> {
    if (this.refusal) throw this.takeRefusal(this.refusal);
    await this.committer.commit();
    if (isComplete() && this.committer.needsCommit()) await this.committer.commit();
  }

  /** Saves what was changed, although nobody waits for the response any more. Never rejects. */
  async saveForNobody(): Promise<void> {
    try {
      if (this.committer.needsCommit()) await this.committer.commit();
    } catch (error) {
      this.reportLate(error);
    }
  }

  /** True also when it cannot be told, and then `writeHeaders` fails. */
  hasHeadersToWrite(): boolean {
    try {
      return this.committer.hasHeadersToWrite();
    } catch (error) {
      this.refusal = toError(error);
      return true;
    }
  }

  /** @returns false when that failed, and then the next `save` rejects */
  writeHeaders(response: ServerResponse): boolean {
    try {
      this.addHeaders(response);
      return true;
    } catch (error) {
      this.refusal = toError(error);
      return false;
    }
  }

  /** @throws what the committer throws, and what Node throws for its headers */
  addHeaders(response: ServerResponse): void {
    if (this.refusal) throw this.takeRefusal(this.refusal);
    detachSetCookie(response);
    this.committer.writeHeaders(response);
  }

  takeFailureHandler(): FailureHandler | undefined {
    return this.committer.takeFailureHandler?.();
  }

  /** A bare 503 when the committer cannot describe one. */
  describeFailure(error: unknown): ProblemAnswer {
    try {
      return this.committer.describeFailure(error);
    } catch (describeError) {
      this.reportLate(describeError);
      return UNDESCRIBED_FAILURE;
    }
  }

  reportLate(error: unknown): void {
    try {
      this.committer.onLateFailure(error);
    } catch {
      // A log that fails must not take the process down.
    }
  }

  private takeRefusal(refusal: Error): Error {
    this.refusal = undefined;
    return refusal;
  }
}

function toError(error: unknown): Error {
  if (error instanceof Error) return error;
  return new Error('Cannot save the session: what was thrown is not an Error. See the cause.', {
    cause: error,
  });
}
