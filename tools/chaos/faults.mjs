import { setTimeout as delay } from 'node:timers/promises';

/** @typedef {import('./site.mjs').Site} Site */

const FAULT_MS = 3_000;

/** What is done to the replicas and to their Redis, by the name in the table. Each puts back what it has changed. */
export const FAULTS = {
  nothing: () => delay(FAULT_MS),
  'replica killed': (/** @type {Site} */ site) => site.replacePod('SIGKILL'),
  'replica stopped': (/** @type {Site} */ site) => site.replacePod('SIGTERM'),
  'Redis frozen': async (/** @type {Site} */ { redis }) => {
    await redis.kill('SIGSTOP');
    await delay(FAULT_MS);
    await redis.kill('SIGCONT');
  },
  'Redis paused': async (/** @type {Site} */ { control }) => {
    await control.call('CLIENT', 'PAUSE', String(FAULT_MS));
    await delay(FAULT_MS);
  },
  'connections cut': async (/** @type {Site} */ { control }) => {
    for (let cut = 0; cut < FAULT_MS / 50; cut++) {
      await control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await delay(50);
    }
  },
  'Redis full': (/** @type {Site} */ site) => withConfig(site, 'maxmemory', '1', '0'),
  'no replica to write to': (/** @type {Site} */ site) =>
    withConfig(site, 'min-replicas-to-write', '1', '0'),
  'Redis killed': (/** @type {Site} */ site) => site.restartRedis(),
};

async function withConfig(
  /** @type {Site} */ { control },
  /** @type {string} */ name,
  /** @type {string} */ value,
  /** @type {string} */ before,
) {
  await control.config('SET', name, value);
  await delay(FAULT_MS);
  await control.config('SET', name, before);
}
