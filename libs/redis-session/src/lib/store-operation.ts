import { RedisSessionError, SessionStoreError } from '../session/session.errors.js';
import { plainText, type SessionLogger } from './logger.js';

/** No answer came in time: those that wait behind such a command would wait for as long. */
export class NoAnswerError extends Error {}

/** Whether `error` is that of a command whose deadline is over. */
export function isUnanswered(error: unknown): error is SessionStoreError {
  return error instanceof SessionStoreError && error.cause instanceof NoAnswerError;
}

/**
 * Settles as `command` does, or fails `timeoutMs` from now: whatever the client's own queues and retries do, nobody
 * waits longer. Time in which this process was too busy to read an answer does not count.
 *
 * @param action - for the error, such as `load the session`
 * @throws SessionStoreError
 */
export function withDeadline<T>(
  action: string,
  timeoutMs: number,
  command: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const dueMs = performance.now() + timeoutMs;
    const giveUp = () => {
      const reason = new NoAnswerError(`no answer within ${timeoutMs} ms`);
      reject(SessionStoreError.create(action, reason));
    };
    let timer = setTimeout(() => {
      timer = setTimeout(giveUp, Math.min(performance.now() - dueMs, timeoutMs));
    }, timeoutMs);
    command.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(toStoreError(action, error));
      },
    );
  });
}

interface StopOptions {
  readonly commandTimeoutMs: number;
  readonly logger: SessionLogger;
}

/** Stops a part of the application, or logs why not: the shutdown goes on. @param action - for the log: completes "Cannot …" */
export async function stopInTime(
  action: string,
  part: { stop?(): Promise<void> },
  { commandTimeoutMs, logger }: StopOptions,
): Promise<void> {
  const stopped = Promise.resolve().then(() => part.stop?.());
  await withDeadline(action, 2 * commandTimeoutMs, stopped).catch((error: unknown) => {
    const reason = reasonOf((error as Error).cause ?? error).replace(/\.$/, '');
    logger.warn(
      `Cannot ${action}: ${reason}. Its connections may stay open until the process ends.`,
    );
  });
}

/** What callers see of an error of the client: that `action` failed, and why. Errors of this library stay as they are. */
export function toStoreError(action: string, error: unknown): RedisSessionError {
  if (error instanceof RedisSessionError) return error;
  const cause = error instanceof NoAnswerError ? error : withoutCommand(error);
  return SessionStoreError.create(action, cause);
}

/**
 * The reason alone, on one line. ioredis attaches the command with all its arguments to an error, and Redis quotes them in
 * one message ("unknown command"): session ids and attribute values, which a logger would print. A proxy may quote the key
 * of a session, MongoDB the id that exists already, and ioredis shows a whole reply that nobody waits for.
 */
export function withoutCommand(error: unknown): Error {
  const { message, code } = Object(error) as { message?: unknown; code?: string };
  const text = typeof message === 'string' ? message : '';
  const quote = /(,? with args beginning with| Last reply|sess(ions)?:|dup key:).*/s;
  return new Error(plainText(text.replace(quote, '')) || code || 'unknown reason');
}

/** Why something has failed, for a line of the log or another message. */
export function reasonOf(error: unknown): string {
  if (error instanceof RedisSessionError) return error.message;
  return withoutCommand(error).message;
}
