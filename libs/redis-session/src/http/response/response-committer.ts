import type { ServerResponse } from 'node:http';

/** The response that takes the place of a prepared one whose session could not be saved. */
export interface FailedResponse {
  readonly statusCode: number;
  /** Header names and values; Content-Length is added. */
  readonly headers: Readonly<Record<string, string>>;
  /** UTF-8 text; not sent in answer to HEAD. */
  readonly body: string;
}

/** Has the application answer for a save that failed with `error`. */
export type FailureHandler = (error: unknown) => void;

/**
 * What a `CommittedResponse` asks before it lets a response leave.
 *
 * Mirrors the abstract `onResponseCommitted()` of Spring's OnCommittedResponseWrapper, which can only block a thread.
 */
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

  /** The response to send instead of the prepared one, because `commit` rejected with `error`. */
  describeFailure(error: unknown): FailedResponse;

  /** Hears of a save that failed when no other response could be sent any more; for the log. */
  onLateFailure(error: unknown): void;
}
