import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `isTrue` answers true, asking every 20 ms; a rejection counts as "not yet".
 *
 * @throws after `withinMs` (default 15 s)
 */
export async function eventually(isTrue: () => Promise<boolean>, withinMs = 15_000): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await isTrue().catch(() => false))) {
    if (Date.now() > giveUpAt)
      throw new Error(`Not true within ${withinMs} ms: ${isTrue.toString()}`);
    await delay(20);
  }
}
