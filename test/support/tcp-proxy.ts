import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Delivery {
  readonly deliver: () => void;
  /** undefined = the end of the connection */
  readonly chunk: Buffer | undefined;
}

/** A TCP proxy that makes a network bad on purpose. */
export class TcpProxy {
  /** How long each chunk takes in each direction; may be changed at any time, order is kept. */
  delayMs: number;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  readonly #swallowing = new WeakSet<Socket>();
  readonly #held: Delivery[] = [];
  #server: Server | undefined;
  #port = 0;
  #isPaused = false;

  /** @param options - `targetPort` on 127.0.0.1; `delayMs` for each direction */
  constructor({ targetPort, delayMs = 0 }: { targetPort: number; delayMs?: number }) {
    this.#targetPort = targetPort;
    this.delayMs = delayMs;
  }

  /** The port of 127.0.0.1 to connect to; it stays the same when the proxy refuses and accepts again. */
  get port(): number {
    return this.#port;
  }

  /** Whether a chunk that {@link pause} holds back has `text` in it. */
  isHolding(text: string): boolean {
    return this.#held.some(({ chunk }) => chunk?.includes(text));
  }

  /** Accepts connections; again after {@link refuse}. */
  async accept(): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#link(client));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Keeps all connections open and holds back every byte, in both directions. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Delivers what was held back, in order. */
  resume(): void {
    this.#isPaused = false;
    for (const { deliver } of this.#held.splice(0)) deliver();
  }

  /** Keeps the connections of this moment open and loses all that comes, in both directions. New ones work. */
  swallow(): void {
    for (const socket of this.#sockets) this.#swallowing.add(socket);
  }

  /** Breaks all connections; bytes on the way are lost. New ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks all connections and refuses new ones, until {@link accept}. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    if (server) await new Promise((closed) => server.close(closed));
  }

  #link(client: Socket): void {
    const target = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true });
    this.#forward(client, target);
    this.#forward(target, client);
  }

  #forward(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    const onTheWay: Delivery[] = [];
    const send = (deliver: () => void, chunk?: Buffer): void => {
      onTheWay.push({ deliver, chunk });
      // Each timer delivers the oldest chunk, whichever timer that is: so the order cannot change.
      setTimeout(() => this.#deliver(onTheWay), this.delayMs);
    };
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      if (!this.#swallowing.has(from)) send(() => to.write(chunk), chunk);
    });
    from.on('end', () => send(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      if (from.errored ?? !from.readableEnded) to.destroy();
    });
  }

  #deliver(onTheWay: Delivery[]): void {
    const next = onTheWay.shift();
    if (!next) return;
    if (this.#isPaused) this.#held.push(next);
    else next.deliver();
  }
}

/** Starts a {@link TcpProxy} on a free port of 127.0.0.1; end it with `refuse()`. */
export async function startTcpProxy(options: {
  targetPort: number;
  delayMs?: number;
}): Promise<TcpProxy> {
  const proxy = new TcpProxy(options);
  await proxy.accept();
  return proxy;
}
