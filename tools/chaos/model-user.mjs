import { KeepAliveClient } from '../demo/keep-alive-client.mjs';

const KIM = { username: 'kim', password: 'kim' };

/** Ms until a user tries a refused login again: checking passwords is expensive, and all at once would be a load of its own. */
const REST_MS = 3_000;

/** What users who are logged in do, of 100 times. */
const HABITS = {
  logOut: 3,
  logOutWhileAdding: 4,
  useDeadCookie: 10,
  add: 30,
  addTwo: 10,
  look: 20,
  askWho: 23,
};

/** All that users do. */
export const EVERYTHING = ['logIn', ...Object.keys(HABITS)];

const LOGINS_AND_LOGOUTS = ['logIn', 'logOut', 'logOutWhileAdding'];

/** What a Redis that cannot save to its disk must still do. */
export const READS = ['useDeadCookie', 'look', 'askWho'];

/** What a full Redis must still do. */
export const READS_AND_LOGOUTS = ['logOut', ...READS];

/** Where sessions are short, so many of 100 actions are breaks that end the session. */
const BREAKS = 5;
/** A break is so many ms longer than a session lives. */
const BREAK_MARGIN_MS = 1_000;

/**
 * What became of one action. A broken promise says since when it was owed, in ms of `performance.now()`.
 *
 * @typedef {object} Outcome
 * @property {'ok' | 'refused' | 'broken' | 'lost login' | 'lost update' | 'doubled update' | 'revived'} kind
 * @property {string} action - such as `look`
 * @property {number} sentAtMs - of `performance.now()`
 * @property {number} [sinceMs]
 * @property {number} [status] - of a refusal
 *
 * @typedef {Pick<Outcome, 'kind' | 'sinceMs' | 'status'>} Result
 */

/** @type {Result} */
const OK = { kind: 'ok' };
/** @returns {Result} */
const refused = (/** @type {number} */ status) => ({ kind: 'refused', status });

/**
 * A user who knows what the promises let him see. What was acknowledged must be there on every replica; what was refused with 503,
 * or never answered, may have happened or not. What he has seen once must stay.
 */
export class ModelUser {
  /** @type {KeepAliveClient} */
  #client;
  /** A cookie that is dead since a logout, a break, or a login that gave another one. */
  #dead = { cookie: '', sinceMs: 0 };
  /** @type {number | undefined} undefined = nobody knows whether he is logged in */
  #loggedInSinceMs;
  /** What may be in the cart, and since when it must be; undefined = it need not. @type {Map<string, number | undefined>} */
  #items = new Map();
  #itemNumber = 0;
  #restsUntilMs = 0;
  #readsUntilMs = 0;
  #comesFromBreak = false;
  /** Whether a login or logout may still take place: he did not wait for its answer, or the logout was refused. It ends the session that the next login begins with. */
  #mayEndLater = false;
  #isBusy = false;
  #idleMs;
  /** @type {Record<string, () => Promise<Result>>} */
  #actions = {
    logIn: () => this.#logIn(),
    logOut: () => this.#logOut(),
    logOutWhileAdding: () => this.#logOutWhileAdding(),
    useDeadCookie: () => this.#useDeadCookie(),
    add: () => this.#add(),
    addTwo: () => this.#addTwo(),
    look: () => this.#look(),
    askWho: () => this.#askWho(),
    takeBreak: () => Promise.resolve(this.#takeBreak()),
  };

  /** @param {string} url @param {{ idleSeconds?: number }} [options] - `idleSeconds` of a session, where they are so short that users see it */
  constructor(url, { idleSeconds } = {}) {
    this.url = url;
    this.#idleMs = idleSeconds && idleSeconds * 1_000;
    this.#client = new KeepAliveClient(url);
  }

  /** Whether he sends no request now. */
  get isBusy() {
    return this.#isBusy || performance.now() < this.#restsUntilMs;
  }

  /** Does one thing. @param {number} [patienceMs] - after that he leaves without an answer @returns {Promise<Outcome>} */
  async act(patienceMs) {
    this.#isBusy = true;
    const action = this.#choose();
    const sentAtMs = performance.now();
    this.#client.patienceMs = patienceMs;
    const result = await this.#actions[action]().catch(() => {
      this.#startAnew(this.#client.cookie);
      this.#mayEndLater ||= LOGINS_AND_LOGOUTS.includes(action);
      return patienceMs === undefined ? { kind: /** @type {const} */ ('broken') } : OK;
    });
    this.#isBusy = false;
    return { ...result, action, sentAtMs };
  }

  close() {
    this.#client.close();
  }

  /** @returns {string} */
  #choose() {
    if (this.#comesFromBreak) return 'useDeadCookie';
    if (this.#loggedInSinceMs === undefined) return 'logIn';
    let dice = Math.random() * 100;
    if (this.#idleMs && dice < BREAKS) return 'takeBreak';
    if (performance.now() < this.#readsUntilMs) return 'askWho';
    const action = Object.entries(HABITS).find(([, share]) => (dice -= share) < 0)?.[0];
    return action === 'useDeadCookie' && !this.#dead.cookie ? 'look' : action;
  }

  async #logIn() {
    const { cookie } = this.#client;
    const { status } = await this.#client.post('/login', KIM);
    if (status === 401 && this.#mayEndLater) return OK;
    this.#mayEndLater = false;
    if (status !== 200) {
      this.#restsUntilMs = performance.now() + REST_MS;
      return refused(status);
    }
    this.#loggedInSinceMs = performance.now();
    if (cookie) this.#dead = { cookie, sinceMs: this.#loggedInSinceMs };
    // Only reads keep the session of such a user alive.
    if (this.#idleMs && Math.random() < 0.5)
      this.#readsUntilMs = this.#loggedInSinceMs + 3 * this.#idleMs;
    return OK;
  }

  async #logOut() {
    const { cookie } = this.#client;
    // From here on nobody knows, unless it is acknowledged.
    this.#loggedInSinceMs = undefined;
    this.#expectNoItem();
    const { status } = await this.#client.post('/logout', {});
    if (status !== 204) {
      this.#mayEndLater = true;
      return refused(status);
    }
    this.#leave(cookie);
    return OK;
  }

  /** The change may come before the logout or after it: the old cookie must be dead either way. */
  async #logOutWhileAdding() {
    const adding = this.#sendItemByOtherTab();
    const [logout] = await Promise.allSettled([this.#logOut(), adding]);
    this.#expectNoItem();
    if (logout.status === 'rejected') throw logout.reason;
    return logout.value === OK ? this.#useDeadCookie({ wantsCart: true }) : logout.value;
  }

  /** Half of the thieves want to be the user, the others want to see his cart. @param {{ wantsCart?: boolean }} [thief] @returns {Promise<Result>} */
  async #useDeadCookie({ wantsCart = Math.random() < 0.5 } = {}) {
    this.#comesFromBreak = false;
    const { cookie, sinceMs } = this.#dead;
    const thief = new KeepAliveClient(this.url, cookie);
    try {
      const { status, text } = await thief.get(wantsCart ? '/api/cart' : '/api/me');
      const isStranger = wantsCart ? status === 200 && isEmpty(text) : status === 401;
      if (isStranger) return OK;
      if (status !== 200) return refused(status);
      this.#dead.cookie = '';
      return { kind: 'revived', sinceMs };
    } finally {
      thief.close();
    }
  }

  async #add() {
    const { status, text } = await this.#sendItem(this.#client);
    return status >= 300 ? this.#miss(status) : this.#compare(text);
  }

  /** Two tabs: neither change may be lost to the other one. */
  async #addTwo() {
    const adding = [this.#sendItem(this.#client), this.#sendItemByOtherTab()];
    for (const added of await Promise.allSettled(adding)) {
      if (added.status === 'rejected') throw added.reason;
      if (added.value.status >= 300) return this.#miss(added.value.status);
    }
    return this.#look();
  }

  async #sendItem(/** @type {KeepAliveClient} */ client) {
    const item = `tea ${++this.#itemNumber}`;
    const { cookie } = client;
    this.#items.set(item, undefined);
    const answer = await client.post('/api/cart', { item });
    // Another cookie: the session is gone, and the other tab does not see the new one.
    const isSeen = client === this.#client || client.cookie === cookie;
    if (answer.status < 300 && isSeen) this.#items.set(item, performance.now());
    return answer;
  }

  async #sendItemByOtherTab() {
    const other = new KeepAliveClient(this.url, this.#client.cookie);
    other.patienceMs = this.#client.patienceMs;
    try {
      return await this.#sendItem(other);
    } finally {
      other.close();
    }
  }

  async #look() {
    const { status, text } = await this.#client.get('/api/cart');
    return status >= 300 ? refused(status) : this.#compare(text);
  }

  async #askWho() {
    const { status } = await this.#client.get('/api/me');
    return status >= 300 ? this.#miss(status) : OK;
  }

  /** Sends nothing until the session must have ended. */
  #takeBreak() {
    this.#restsUntilMs = performance.now() + this.#idleMs + BREAK_MARGIN_MS;
    this.#comesFromBreak = true;
    this.#leave(this.#client.cookie);
    return OK;
  }

  /** @returns {Result} */
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

  /** 401: the session is gone, of a change while the request ran. @returns {Result} */
  #miss(/** @type {number} */ status) {
    return status === 401 ? this.#loseLogin() : refused(status);
  }

  /** @returns {Result} */
  #loseLogin() {
    const sinceMs = this.#loggedInSinceMs;
    this.#leave();
    return { kind: 'lost login', sinceMs };
  }

  /** Forgets the session. @param {string} [cookie] - must be dead from now on */
  #leave(cookie) {
    const nowMs = performance.now();
    if (cookie) this.#dead = { cookie, sinceMs: nowMs };
    this.#loggedInSinceMs = undefined;
    this.#items = new Map();
    this.#startAnew();
  }

  /** Nobody knows any more what is in the cart. */
  #expectNoItem() {
    for (const item of this.#items.keys()) this.#items.set(item, undefined);
  }

  #startAnew(cookie = '') {
    this.#client.close();
    this.#client = new KeepAliveClient(this.url, cookie);
  }
}

function isEmpty(/** @type {string} */ text) {
  return JSON.parse(text).cart.length === 0;
}
