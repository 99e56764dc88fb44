import { setTimeout as delay } from 'node:timers/promises';
import { ModelUser } from './model-user.mjs';

const USERS = 40;
const REQUESTS_PER_SECOND = 100;
/** After so many ms at most, users in a hurry leave without an answer. */
const HURRY_MS = 10;

/** @typedef {import('./model-user.mjs').Outcome} Outcome */

/** Users who send 100 requests a second and count what becomes of them. */
export class Crowd {
  #isOver = false;
  /** @type {Outcome[]} */
  #outcomes = [];
  /** Of `performance.now()`, as is all here that ends in `AtMs`. */
  #lastFailureAtMs = 0;
  /** Whether half of the requests are given up before they are answered. */
  isInAHurry = false;

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

  /** Gives the outcomes since the last call. */
  take() {
    return this.#outcomes.splice(0);
  }

  get lastFailureAtMs() {
    return this.#lastFailureAtMs;
  }

  async #act(/** @type {ModelUser} */ user) {
    const isHasty = this.isInAHurry && Math.random() < 0.5;
    const outcome = await user.act(isHasty ? Math.floor(Math.random() * HURRY_MS) : undefined);
    this.#outcomes.push(outcome);
    if (outcome.kind === 'refused' || outcome.kind === 'broken')
      this.#lastFailureAtMs = performance.now();
  }
}
