import { setTimeout as delay } from 'node:timers/promises';
import { ModelUser } from './model-user.mjs';

const USERS = 40;
const REQUESTS_PER_SECOND = 100;

/** Users who send 100 requests a second and count what becomes of them. */
export class Crowd {
  #isOver = false;
  /** @type {Map<import('./model-user.mjs').Outcome, number>} */
  #counts = new Map();
  #lastFailureAtMs = 0;

  constructor(/** @type {string} */ url) {
    this.users = Array.from({ length: USERS }, () => new ModelUser(url));
  }

  async run() {
    const inFlight = new Set();
    const startedAtMs = performance.now();
    for (let turn = 0; !this.#isOver; turn++) {
      await delay(startedAtMs + (turn * 1_000) / REQUESTS_PER_SECOND - performance.now());
      const user = this.users[turn % USERS];
      if (user.isBusy) continue;
      const request = this.#act(user).finally(() => inFlight.delete(request));
      inFlight.add(request);
    }
    await Promise.all(inFlight);
    for (const user of this.users) user.close();
  }

  stop() {
    this.#isOver = true;
  }

  /** Gives the counts since the last call. */
  take() {
    const counts = this.#counts;
    this.#counts = new Map();
    return counts;
  }

  /** @returns {number} seconds from `sinceMs` of `performance.now()` to the last request that was not answered as usual */
  secondsUntilBack(/** @type {number} */ sinceMs) {
    return Math.max(0, this.#lastFailureAtMs - sinceMs) / 1_000;
  }

  async #act(/** @type {ModelUser} */ user) {
    user.isBusy = true;
    const outcome = await user.act();
    user.isBusy = false;
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    if (outcome !== 'ok') this.#lastFailureAtMs = performance.now();
  }
}
