import { KeepAliveClient } from '../demo/keep-alive-client.mjs';

const KIM = { username: 'kim', password: 'kim' };

/** @typedef {'ok' | 'refused' | 'broken' | 'lost login' | 'lost update' | 'doubled update' | 'revived'} Outcome */

/**
 * A user who knows what the promises let him see. What was acknowledged must be there on every replica; what was refused with 503,
 * or never answered, may have happened or not.
 */
export class ModelUser {
  /** @type {KeepAliveClient} */
  #client;
  /** A cookie whose logout was acknowledged. */
  #deadCookie = '';
  #isLoggedIn = false;
  #leastItems = 0;
  #mostItems = 0;
  isBusy = false;

  constructor(/** @type {string} */ url) {
    this.url = url;
    this.#client = new KeepAliveClient(url);
  }

  /** Sends one request. @returns {Promise<Outcome>} */
  async act() {
    const dice = Math.random();
    try {
      if (!this.#isLoggedIn) return await this.#logIn();
      if (dice < 0.05) return await this.#logOut();
      if (dice < 0.15 && this.#deadCookie) return await this.#useDeadCookie();
      if (dice < 0.55) return await this.#add();
      return dice < 0.75 ? await this.#look() : await this.#askWho();
    } catch {
      this.#client.close();
      this.#client = new KeepAliveClient(this.url, this.#client.cookie);
      return 'broken';
    }
  }

  close() {
    this.#client.close();
  }

  async #logIn() {
    const { status } = await this.#client.post('/login', KIM);
    if (status !== 200) return 'refused';
    this.#isLoggedIn = true;
    return 'ok';
  }

  async #logOut() {
    const { cookie } = this.#client;
    // From here on nobody knows, unless it is acknowledged.
    this.#isLoggedIn = false;
    this.#leastItems = 0;
    const { status } = await this.#client.post('/logout', {});
    if (status !== 204) return 'refused';
    this.#deadCookie = cookie;
    this.#mostItems = 0;
    this.#client.close();
    this.#client = new KeepAliveClient(this.url);
    return 'ok';
  }

  async #useDeadCookie() {
    const thief = new KeepAliveClient(this.url, this.#deadCookie);
    try {
      const { status } = await thief.get('/api/me');
      if (status === 200) return 'revived';
      return status === 401 ? 'ok' : 'refused';
    } finally {
      thief.close();
    }
  }

  async #add() {
    this.#mostItems++;
    const { status, text } = await this.#client.post('/api/cart', { item: 'tea' });
    if (status >= 300) return 'refused';
    this.#leastItems++;
    return this.#compare(text);
  }

  async #look() {
    const { status, text } = await this.#client.get('/api/cart');
    return status >= 300 ? 'refused' : this.#compare(text);
  }

  async #askWho() {
    const { status } = await this.#client.get('/api/me');
    if (status === 401) return this.#loseLogin();
    return status >= 300 ? 'refused' : 'ok';
  }

  /** @returns {Outcome} */
  #compare(/** @type {string} */ text) {
    const { length } = JSON.parse(text).cart;
    const [least, most] = [this.#leastItems, this.#mostItems];
    this.#leastItems = length;
    this.#mostItems = Math.max(most, length);
    if (length < least) return 'lost update';
    return length > most ? 'doubled update' : 'ok';
  }

  /** @returns {Outcome} */
  #loseLogin() {
    this.#isLoggedIn = false;
    this.#leastItems = this.#mostItems = 0;
    this.#client.close();
    this.#client = new KeepAliveClient(this.url);
    return 'lost login';
  }
}
