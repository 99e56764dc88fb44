import { type DoneCallback } from './express-session.js';

/**
 * Tells `callback` how `work` ends, outside of the promise: what the callback throws is its caller's, not ours.
 *
 * @param toError - makes of an error what the application is to see
 */
export function settle(
  work: Promise<void>,
  callback: DoneCallback,
  toError: (error: unknown) => unknown,
): void {
  work.then(
    () => process.nextTick(callback),
    (error: unknown) => process.nextTick(callback, toError(error)),
  );
}
