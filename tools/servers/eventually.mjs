import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `isTrue` answers true, asking every 20 ms; a rejection counts as "not yet".
 *
 * @param {() => Promise<boolean>} isTrue
 * @param {number} [withinMs] - 15 s unless it may take longer
 * @returns {Promise<void>}
 * @throws {Error} after `withinMs`
 */
export async function eventually(isTrue, withinMs = 15_000) {
  const giveUpAt = Date.now() + withinMs;
  while (!(await isTrue().catch(() => false))) {
    if (Date.now() > giveUpAt)
      throw new Error(`Not true within ${withinMs} ms: ${isTrue.toString()}`);
    await delay(20);
  }
}
