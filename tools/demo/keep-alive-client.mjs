import { Agent, request } from 'node:http';

const ANSWER_WITHIN_MS = 10_000;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} pod - who answered, by the header X-Pod; empty when no replica did
 * @property {string} text
 */

/** One user who keeps a connection open, as a browser does, and remembers the cookie of the session. */
export class KeepAliveClient {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #cookie;
  /** How often the server had closed the kept connection before the request reached it. */
  sentAgain = 0;
  /** After so many ms the client leaves without an answer. @type {number | undefined} 10 s */
  patienceMs;

  constructor(/** @type {string} */ url, cookie = '') {
    this.url = url;
    this.#cookie = cookie;
  }

  get cookie() {
    return this.#cookie;
  }

  /** @returns {Promise<Answer>} @throws {Error} when the connection breaks or no answer comes within 10 s */
  get(/** @type {string} */ path) {
    return this.#send(path, 'GET');
  }

  /** @returns {Promise<Answer>} @throws {Error} as {@link KeepAliveClient.get} */
  post(/** @type {string} */ path, /** @type {object} */ body) {
    return this.#send(path, 'POST', JSON.stringify(body));
  }

  close() {
    this.#agent.destroy();
  }

  /** @returns {Promise<Answer>} */
  #send(/** @type {string} */ path, /** @type {string} */ method, body = '') {
    return new Promise((resolve, reject) => {
      const sent = request(this.url + path, {
        method,
        agent: this.#agent,
        signal: AbortSignal.timeout(this.patienceMs ?? ANSWER_WITHIN_MS),
        headers: {
          Accept: 'application/json',
          Cookie: this.#cookie,
          ...(body && { 'Content-Type': 'application/json', 'Content-Length': body.length }),
        },
      });
      sent.once('error', (error) => {
        // The server closed the idle connection before it read the request: browsers send it once more, POST or not.
        if (!sent.reusedSocket || !['ECONNRESET', 'EPIPE'].includes(error.code))
          return reject(error);
        this.sentAgain++;
        resolve(this.#send(path, method, body));
      });
      sent.once('response', (response) => resolve(this.#read(response)));
      sent.end(body);
    });
  }

  /** @returns {Promise<Answer>} */
  async #read(/** @type {import('node:http').IncomingMessage} */ response) {
    const [cookie] = response.headers['set-cookie'] ?? [];
    if (cookie) this.#cookie = cookie.split(';')[0];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode, pod: response.headers['x-pod'] ?? '', text };
  }
}
