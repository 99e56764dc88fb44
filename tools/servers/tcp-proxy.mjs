import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * @typedef {object} Delivery
 * @property {() => void} deliver
 * @property {Buffer | undefined} chunk - undefined = the end of the connection
 *
 * @typedef {import('node:net').Socket} Socket
 */

/** A TCP proxy that makes a network bad on purpose. */
export class TcpProxy {
  /** How long each chunk takes in each direction; may be changed at any time, order is kept. */
  delayMs;
  #targetPort;
  /** @type {Set<Socket>} */
  #sockets = new Set();
  /** @type {WeakSet<Socket>} */
  #swallowing = new WeakSet();
  /** @type {Delivery[]} */
  #held = [];
  /** @type {import('node:net').Server | undefined} */
  #server;
  #port = 0;
  #isPaused = false;
  /** Whether each new connection is reset as soon as it is there. */
  resetsNewConnections = false;
  /**
   * While a test sets it: asked about each chunk that a client sends. After true, the target gets the chunk, but the client gets no
   * reply: its connection breaks at the first one.
   *
   * @type {((chunk: Buffer, client: Socket) => boolean) | undefined}
   */
  losesReplyTo;

  /** @param {{ targetPort: number, delayMs?: number }} options - `targetPort` on 127.0.0.1; `delayMs` for each direction */
  constructor({ targetPort, delayMs = 0 }) {
    this.#targetPort = targetPort;
    this.delayMs = delayMs;
  }

  /** The port of 127.0.0.1 to connect to; it stays the same when the proxy refuses and accepts again. */
  get port() {
    return this.#port;
  }

  /** @returns {boolean} whether a chunk that {@link pause} holds back has `text` in it */
  isHolding(/** @type {string} */ text) {
    return this.#held.some(({ chunk }) => chunk?.includes(text));
  }

  /** Accepts connections; again after {@link refuse}. @returns {Promise<void>} */
  async accept() {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#link(client));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  /** Keeps all connections open and holds back every byte, in both directions. */
  pause() {
    this.#isPaused = true;
  }

  /** Delivers what was held back, in order. */
  resume() {
    this.#isPaused = false;
    for (const { deliver } of this.#held.splice(0)) deliver();
  }

  /** Keeps the connections of this moment open and loses all that comes, in both directions. New ones work. */
  swallow() {
    for (const socket of this.#sockets) this.#swallowing.add(socket);
  }

  /** Breaks all connections; bytes on the way are lost. New ones are accepted. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** As {@link cut}, by a reset instead of an orderly end. */
  reset() {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Breaks all connections and refuses new ones, until {@link accept}. @returns {Promise<void>} */
  async refuse() {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    if (server) await new Promise((closed) => server.close(closed));
  }

  #link(/** @type {Socket} */ client) {
    if (this.resetsNewConnections) {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const target = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true });
    this.#forward(client, target);
    this.#forward(target, client);
    client.on('data', (chunk) => {
      if (this.#swallowing.has(target) || !this.losesReplyTo?.(chunk, client)) return;
      this.#swallowing.add(target);
      target.once('data', () => client.destroy());
    });
  }

  #forward(/** @type {Socket} */ from, /** @type {Socket} */ to) {
    this.#sockets.add(from);
    /** @type {Delivery[]} */
    const onTheWay = [];
    /** @param {() => void} deliver @param {Buffer} [chunk] */
    const send = (deliver, chunk) => {
      onTheWay.push({ deliver, chunk });
      // Each timer delivers the oldest chunk, whichever timer that is: so the order cannot change.
      setTimeout(() => this.#deliver(onTheWay), this.delayMs);
    };
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (!this.#swallowing.has(from)) send(() => to.write(chunk), chunk);
    });
    from.on('end', () => send(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      if (from.errored ?? !from.readableEnded) to.destroy();
    });
  }

  #deliver(/** @type {Delivery[]} */ onTheWay) {
    const next = onTheWay.shift();
    if (!next) return;
    if (this.#isPaused) this.#held.push(next);
    else next.deliver();
  }
}

/**
 * Starts a {@link TcpProxy} on a free port of 127.0.0.1; end it with `refuse()`.
 *
 * @param {{ targetPort: number, delayMs?: number }} options
 * @returns {Promise<TcpProxy>}
 */
export async function startTcpProxy(options) {
  const proxy = new TcpProxy(options);
  await proxy.accept();
  return proxy;
}
