/** A client that keeps its session cookie. */
export class Visitor {
  /** @type {string | undefined} `name=value` */
  cookie;

  constructor(/** @type {string} */ origin) {
    this.origin = origin;
  }

  /** @throws {Error} when the answer is not 2xx */
  async send(/** @type {string} */ method, /** @type {string} */ path) {
    const headers = this.cookie === undefined ? {} : { Cookie: this.cookie };
    const response = await fetch(this.origin + path, { method, headers });
    const body = await response.text();
    if (!response.ok)
      throw new Error(
        `${method} ${this.origin}${path} was answered with ${response.status}: ${body}`,
      );
    const [line] = response.headers.getSetCookie();
    if (line) this.cookie = line.split(';')[0];
  }
}

/**
 * Makes sessions.
 *
 * @param {string} origin
 * @param {import('../scenarios.mjs').Seed} seed
 * @param {number} count
 * @returns {Promise<string[]>} their cookies
 */
export async function seedSessions(origin, { count, bytes }, sessions) {
  const cookies = [];
  for (let i = 0; i < sessions; i += 1) {
    const visitor = new Visitor(origin);
    await visitor.send('POST', `/seed?count=${count}&bytes=${bytes}`);
    cookies.push(visitor.cookie);
  }
  return cookies;
}
