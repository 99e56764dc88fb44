import { SessionStoreError } from '../session/session.errors.js';

/**
 * Settles as `command` does, or fails `timeoutMs` from now: whatever the client's own queues and retries do, nobody
 * waits longer.
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
    const timer = setTimeout(() => {
      reject(SessionStoreError.create(action, new Error(`no answer within ${timeoutMs} ms`)));
    }, timeoutMs);
    command.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(SessionStoreError.create(action, error));
      },
    );
  });
}
