import { KeepAliveClient } from '../demo/keep-alive-client.mjs';

const KIM = { username: 'kim', password: 'kim' };

/** Ms until a user tries a refused login again: checking passwords is expensive, and all at once would be a load of its own. */
const REST_MS = 3_000;

/**
 * What became of one request. A broken promise says since when it was owed, in ms of `performance.now()`.
 *
 * @typedef {object} Outcome
 * @property {'ok' | 'refused' | 'broken' | 'lost login' | 'lost update' | 'doubled update' | 'revived'} kind
 * @property {number} [sinceMs]
 */

/** @type {Outcome} */
const OK = { kind: 'ok' };
/** @type {Outcome} */
const REFUSED = { kind: 'refused' };

/**
 * A user who knows what the promises let him see. What was acknowledged must be there on every replica; what was refused with 503,
 * or never answered, may have happened or not. What he has seen once must stay.
 */
export class ModelUser {
  /** @type {KeepAliveClient} */
  #client;
  /** A cookie that is dead since a logout, or since a login that gave another one. */
  #dead = { cookie: '', sinceMs: 0 };
  /** @type {number | undefined} undefined = nobody knows whether he is logged in */
  #loggedInSinceMs;
  /** What may be in the cart, and since when it must be; undefined = it need not. @type {Map<string, number | undefined>} */
  #items = new Map();
  #itemNumber = 0;
  #restsUntilMs = 0;
  #isBusy = false;

  constructor(/** @type {string} */ url) {
    this.url = url;
    this.#client = new KeepAliveClient(url);
  }

  /** Whether he sends no request now. */
  get isBusy() {
    return this.#isBusy || performance.now() < this.#restsUntilMs;
  }

  /** Sends one request. @param {number} [patienceMs] - after that he leaves without an answer @returns {Promise<Outcome>} */
  async act(patienceMs) {
    this.#isBusy = true;
    const outcome = await this.#act(patienceMs);
    this.#isBusy = false;
    return outcome;
  }

  /** @param {number} [patienceMs] @returns {Promise<Outcome>} */
  async #act(patienceMs) {
    const dice = Math.random();
    this.#client.patienceMs = patienceMs;
    try {
      if (this.#loggedInSinceMs === undefined) return await this.#logIn();
      if (dice < 0.05) return await this.#logOut();
      if (dice < 0.15 && this.#dead.cookie) return await this.#useDeadCookie();
      if (dice < 0.55) return await this.#add();
      return dice < 0.75 ? await this.#look() : await this.#askWho();
    } catch {
      this.#startAnew(this.#client.cookie);
      return patienceMs === undefined ? { kind: 'broken' } : OK;
    }
  }

  close() {
    this.#client.close();
  }

  async #logIn() {
    const { cookie } = this.#client;
    const { status } = await this.#client.post('/login', KIM);
    if (status !== 200) {
      this.#restsUntilMs = performance.now() + REST_MS;
      return REFUSED;
    }
    this.#loggedInSinceMs = performance.now();
    if (cookie) this.#dead = { cookie, sinceMs: this.#loggedInSinceMs };
    return OK;
  }

  async #logOut() {
    const { cookie } = this.#client;
    // From here on nobody knows, unless it is acknowledged.
    this.#loggedInSinceMs = undefined;
    for (const item of this.#items.keys()) this.#items.set(item, undefined);
    const { status } = await this.#client.post('/logout', {});
    if (status !== 204) return REFUSED;
    this.#dead = { cookie, sinceMs: performance.now() };
    this.#items.clear();
    this.#startAnew();
    return OK;
  }

  /** @returns {Promise<Outcome>} */
  async #useDeadCookie() {
    const { cookie, sinceMs } = this.#dead;
    const thief = new KeepAliveClient(this.url, cookie);
    try {
      const { status } = await thief.get('/api/me');
      if (status === 401) return OK;
      if (status !== 200) return REFUSED;
      this.#dead.cookie = '';
      return { kind: 'revived', sinceMs };
    } finally {
      thief.close();
    }
  }

  async #add() {
    const item = `tea ${++this.#itemNumber}`;
    this.#items.set(item, undefined);
    const { status, text } = await this.#client.post('/api/cart', { item });
    if (status >= 300) return REFUSED;
    this.#items.set(item, performance.now());
    return this.#compare(text);
  }

  async #look() {
    const { status, text } = await this.#client.get('/api/cart');
    return status >= 300 ? REFUSED : this.#compare(text);
  }

  async #askWho() {
    const { status } = await this.#client.get('/api/me');
    if (status === 401) return this.#loseLogin();
    return status >= 300 ? REFUSED : OK;
  }

  /** @returns {Outcome} */
  #compare(/** @type {string} */ text) {
    /** @type {string[]} */
    const { cart } = JSON.parse(text);
    const seenMs = performance.now();
    const inCart = new Set(cart);
    let lostSinceMs = Infinity;
    for (const [item, sinceMs] of this.#items) {
      if (!inCart.has(item)) lostSinceMs = Math.min(lostSinceMs, sinceMs ?? Infinity);
      this.#items.set(item, inCart.has(item) ? (sinceMs ?? seenMs) : undefined);
    }
    if (inCart.size < cart.length) return { kind: 'doubled update' };
    if (cart.some((item) => !this.#items.has(item))) return { kind: 'revived' };
    return lostSinceMs < Infinity ? { kind: 'lost update', sinceMs: lostSinceMs } : OK;
  }

  /** @returns {Outcome} */
  #loseLogin() {
    const sinceMs = this.#loggedInSinceMs;
    this.#loggedInSinceMs = undefined;
    this.#items.clear();
    this.#startAnew();
    return { kind: 'lost login', sinceMs };
  }

  #startAnew(cookie = '') {
    this.#client.close();
    this.#client = new KeepAliveClient(this.url, cookie);
  }
}
