import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `isTrue` answers true, asking every 20 ms for at most 15 s; a rejection counts as "not yet". */
export async function eventually(isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 15_000;
  while (!(await isTrue().catch(() => false))) {
    if (Date.now() > giveUpAt) throw new Error(`Not true within 15 s: ${isTrue.toString()}`);
    await delay(20);
  }
}
