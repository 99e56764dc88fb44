import { setTimeout as delay } from 'node:timers/promises';

/** When {@link tryLater} tries. */
export interface TryLaterOptions {
  /** Ms until the first attempt. */
  readonly delayMs: number;
  /** Whether no attempt can succeed any more. */
  readonly isOver: () => boolean;
  /** Ms after the first failure; twice as long after each further one. */
  readonly pauseMs: number;
}

/** With pauses of two seconds, the last attempt comes after four minutes. */
const MAX_ATTEMPTS = 8;

/** While Redis is gone, each request may leave some work for later. Callers leave out what is more than this. */
export const MAX_WORKS = 1000;

/** Does `work` in the background, again while it fails. Best effort: it gives up in the end, and holds up no process that ends. */
export async function tryLater(
  work: () => Promise<void>,
  { delayMs, isOver, pauseMs }: TryLaterOptions,
): Promise<void> {
  await delay(delayMs, undefined, { ref: false });
  for (let attempt = 1; !isOver(); attempt++) {
    try {
      await work();
      return;
    } catch {
      if (attempt === MAX_ATTEMPTS) return;
    }
    await delay(pauseMs * 2 ** (attempt - 1), undefined, { ref: false });
  }
}
