import { setTimeout as delay } from 'node:timers/promises';
import { KeepAliveClient } from './keep-alive-client.mjs';

const REQUESTS_PER_SECOND = 100;
const KIM = { username: 'kim', password: 'kim' };

/**
 * What users saw since {@link Shoppers.begin}, or in total.
 *
 * @typedef {object} Seen
 * @property {number} requests
 * @property {number} posts
 * @property {string[]} failures - one line each
 * @property {Set<string>} pods - who answered
 * @property {number} slowestMs
 */

/** Users who fill their carts; each knows what must be in its cart. */
export class Shoppers {
  #isOver = false;
  /** @type {Seen} */
  #step = nothing();
  /** @type {Seen} */
  #total = nothing();

  constructor(/** @type {string} */ url, /** @type {number} */ count) {
    this.users = Array.from({ length: count }, (_, number) => ({
      number,
      client: new KeepAliveClient(url),
      cart: 0,
      isBusy: false,
    }));
  }

  async logIn() {
    for (const { client } of this.users) {
      const { status, text } = await client.post('/login', KIM);
      if (status !== 200) throw new Error(`Cannot log in: ${status} ${text}`);
    }
  }

  /** Sends 100 requests per second, half of them POST, until {@link Shoppers.stop}. */
  async run() {
    const inFlight = new Set();
    const startedAt = performance.now();
    for (let turn = 0; !this.#isOver; turn++) {
      await delay(
        Math.max(0, startedAt + (turn * 1_000) / REQUESTS_PER_SECOND - performance.now()),
      );
      const user = this.users[turn % this.users.length];
      // A user sends one request at a time; one who still waits is passed over.
      if (user.isBusy) continue;
      const request = this.#request(user).finally(() => inFlight.delete(request));
      inFlight.add(request);
    }
    await Promise.all(inFlight);
    for (const { client } of this.users) client.close();
  }

  stop() {
    this.#isOver = true;
  }

  /** Begins to count anew for {@link Shoppers.describe}. */
  begin() {
    this.#step = nothing();
  }

  describe() {
    const { requests, posts, failures, slowestMs, pods } = this.#step;
    const from = [...pods].sort().join(' ');
    return `${requests} requests, ${posts} POST, ${failures.length} failed, slowest ${Math.round(slowestMs)} ms, from ${from}`;
  }

  get total() {
    const sentAgain = this.users.reduce((sum, { client }) => sum + client.sentAgain, 0);
    return { ...this.#total, sentAgain };
  }

  /** Half of the requests add to the cart; half look at it and at the name of the user. */
  async #request(user) {
    user.isBusy = true;
    const isPost = Math.random() < 0.5;
    const path = isPost || Math.random() < 0.5 ? '/api/cart' : '/api/me';
    const startedAt = performance.now();
    const { pod, failure } = await ask(user, path, isPost);
    const line = `${isPost ? 'POST' : 'GET'} ${path} of user ${user.number}, ${pod || 'nobody'}: ${failure}`;
    for (const seen of [this.#step, this.#total]) {
      seen.requests++;
      if (isPost) seen.posts++;
      if (pod) seen.pods.add(pod);
      if (failure) seen.failures.push(line);
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - startedAt);
    }
    user.isBusy = false;
  }
}

/** @returns {Promise<{ pod?: string, failure?: string }>} without `failure` when the answer is as it must be */
async function ask(user, path, isPost) {
  try {
    const { client } = user;
    const { status, pod, text } = await (isPost
      ? client.post(path, { item: 'tea' })
      : client.get(path));
    if (status >= 300) return { pod, failure: `${status} ${text.slice(0, 200)}` };
    const answer = JSON.parse(text);
    if (path === '/api/me') {
      return answer.user === 'kim' ? { pod } : { pod, failure: 'the login is lost' };
    }
    const expected = isPost ? ++user.cart : user.cart;
    const { length } = answer.cart;
    return length === expected
      ? { pod }
      : { pod, failure: `the cart has ${length} items instead of ${expected}` };
  } catch (error) {
    return { failure: error.message };
  }
}

/** @returns {Seen} */
function nothing() {
  return { requests: 0, posts: 0, failures: [], pods: new Set(), slowestMs: 0 };
}
