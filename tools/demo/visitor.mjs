import { URLSearchParams } from 'node:url';
import { CookieJar } from 'tough-cookie';

const ANSWER_WITHIN_MS = 10_000;

/**
 * What a visitor sees of one response.
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} pod - who answered, by the header X-Pod, or X-Side of the demo with Spring
 * @property {string | undefined} location - path of a redirect
 * @property {string} text
 */

/** Somebody with a browser: keeps cookies, sends forms, follows a redirect when told to. */
export class Visitor {
  #jar = new CookieJar();

  /** @param {string} url - of the site; may be changed to another port of the same host, cookies stay */
  constructor(url) {
    this.url = url;
  }

  /** @returns {Promise<string>} the Cookie header that the next request will send */
  cookie() {
    return this.#jar.getCookieString(this.url);
  }

  /** @returns {Visitor} somebody else with the same cookies */
  copyWithCookies() {
    const copy = new Visitor(this.url);
    copy.#jar = this.#jar.cloneSync();
    return copy;
  }

  /** Deletes a cookie. */
  async forget(/** @type {string} */ name) {
    await this.#jar.setCookie(`${name}=; Path=/; Max-Age=0`, this.url);
  }

  /** @returns {Promise<Answer>} */
  open(/** @type {string} */ path) {
    return this.#send(path, { headers: { accept: 'text/html' } });
  }

  /** @returns {Promise<Answer>} */
  submit(
    /** @type {string} */ path,
    /** @type {Record<string, string>} */ fields = {},
    /** @type {Record<string, string>} */ headers = {},
  ) {
    const body = new URLSearchParams(fields);
    return this.#send(path, { method: 'POST', headers: { accept: 'text/html', ...headers }, body });
  }

  /** @returns {Promise<Answer>} */
  getJson(/** @type {string} */ path) {
    return this.#send(path, { headers: { accept: 'application/json' } });
  }

  /** @returns {Promise<Answer>} */
  postJson(/** @type {string} */ path, /** @type {object} */ content) {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    return this.#send(path, { method: 'POST', headers, body: JSON.stringify(content) });
  }

  async #send(
    /** @type {string} */ path,
    /** @type {RequestInit} */ { method = 'GET', headers, body },
  ) {
    const url = new URL(path, this.url).href;
    const response = await fetch(url, {
      method,
      body,
      headers: { ...headers, cookie: await this.cookie() },
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    for (const cookie of response.headers.getSetCookie()) await this.#jar.setCookie(cookie, url);
    const pod = response.headers.get('x-pod') ?? response.headers.get('x-side');
    const text = await response.text();
    if (!pod)
      throw new Error(`${method} ${path}: ${response.status} without X-Pod or X-Side. ${text}`);
    return {
      status: response.status,
      pod,
      location: response.headers.get('location') ?? undefined,
      text,
    };
  }
}
