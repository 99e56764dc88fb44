import { setTimeout as delay } from 'node:timers/promises';
import { ModelUser } from './model-user.mjs';

/** Each user sends so many requests a second. */
const REQUESTS_PER_SECOND = 2.5;
/** So many users come at the same moment: what meets in one pipeline, or in one tick, goes wrong together. */
const WAVE = 10;
/** After so many ms at most, users in a hurry leave without an answer. */
const HURRY_MS = 10;

/** @typedef {import('./model-user.mjs').Outcome} Outcome */

/** Users who send requests all the time and count what becomes of them. Moments are of `performance.now()`. */
export class Crowd {
  #isOver = false;
  /** @type {Outcome[]} */
  #outcomes = [];
  /** Who has been answered as usual. @type {Set<ModelUser>} */
  #served = new Set();
  /** When the actions that are not over began. @type {Set<{ sentAtMs: number }>} */
  #underWay = new Set();
  #lastFailureAtMs = 0;
  #lastSuccessSentAtMs = 0;
  /** Whether half of the requests are given up before they are answered. */
  isInAHurry = false;

  /** @param {{ url: string, count: number, idleSeconds?: number }} options - as {@link ModelUser} takes them */
  constructor({ url, count, idleSeconds }) {
    this.users = Array.from({ length: count }, () => new ModelUser(url, { idleSeconds }));
  }

  async run() {
    const inFlight = new Set();
    const startedAtMs = performance.now();
    const pauseMs = 1_000 / (REQUESTS_PER_SECOND * this.users.length);
    for (let turn = 0; !this.#isOver; turn++) {
      if (turn % WAVE === 0) await delay(startedAtMs + turn * pauseMs - performance.now());
      const user = this.users[turn % this.users.length];
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

  /** Whether each user was answered as usual once: before that, faults would hit nothing but logins. */
  get isComplete() {
    return this.#served.size === this.users.length;
  }

  /** Gives the outcomes since the last call. */
  take() {
    return this.#outcomes.splice(0);
  }

  /** @returns {number} since when all was as usual, at the earliest `fromMs` */
  wellSinceMs(/** @type {number} */ fromMs) {
    return Math.max(fromMs, this.#lastFailureAtMs);
  }

  /** Whether all was as usual for `quietMs`, from `fromMs` on: nobody failed, nobody waits so long, and somebody was answered. */
  isWell(/** @type {{ fromMs: number, quietMs: number }} */ { fromMs, quietMs }) {
    const longAgoMs = performance.now() - quietMs;
    const sinceMs = this.wellSinceMs(fromMs);
    const isStuck = [...this.#underWay].some(({ sentAtMs }) => sentAtMs < longAgoMs);
    return sinceMs <= longAgoMs && !isStuck && this.#lastSuccessSentAtMs > sinceMs;
  }

  async #act(/** @type {ModelUser} */ user) {
    const isHasty = this.isInAHurry && Math.random() < 0.5;
    const action = { sentAtMs: performance.now() };
    this.#underWay.add(action);
    const outcome = await user.act(isHasty ? Math.floor(Math.random() * HURRY_MS) : undefined);
    this.#underWay.delete(action);
    if (outcome.action === 'takeBreak') return;
    this.#outcomes.push(outcome);
    if (outcome.kind === 'refused' || outcome.kind === 'broken')
      this.#lastFailureAtMs = performance.now();
    else {
      this.#served.add(user);
      this.#lastSuccessSentAtMs = Math.max(this.#lastSuccessSentAtMs, outcome.sentAtMs);
    }
  }
}
