import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One TCP connection to an HTTP server that keeps every byte, without any HTTP client's help or caution. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves with the first chunk, at the moment it arrives; rejects when the connection ends without one. */
  readonly firstBytes: Promise<Buffer>;
  readonly closed: Promise<void>;
  /** Whether the connection ended with a reset. */
  wasReset = false;
  private readonly chunks: Buffer[] = [];

  /** Connects to `port` of 127.0.0.1. */
  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    this.socket.on('error', () => {
      this.wasReset = true;
    });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => resolve());
    });
    this.firstBytes = new Promise((resolve, reject) => {
      this.socket.once('data', resolve);
      const reason = new Error('The connection ended before the first byte.');
      this.socket.once('close', () => reject(reason));
    });
    // A test may wait for something else.
    this.firstBytes.catch(() => undefined);
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends a request for `/` that has no body. */
  ask(method = 'GET', options: { version?: string; close?: boolean } = {}): void {
    const { version = '1.1', close = true } = options;
    const connection = close ? 'Connection: close\r\n' : '';
    this.send(`${method} / HTTP/${version}\r\nHost: test\r\n${connection}\r\n`);
  }

  /** All bytes so far, one character each, with the time of day masked. */
  get received(): string {
    return Buffer.concat(this.chunks)
      .toString('latin1')
      .replaceAll(/Date: [^\r]+/g, 'Date: masked');
  }

  async receives(text: string): Promise<string> {
    while (!this.received.includes(text)) await once(this.socket, 'data');
    return this.received;
  }

  /** Everything that the server sent until it closed the connection: ask with `Connection: close`. */
  get response(): Promise<Buffer> {
    return this.closed.then(() => {
      if (this.wasReset) throw new Error('The connection broke before the response was over.');
      return Buffer.concat(this.chunks);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A connection to `port` of 127.0.0.1 that is there. */
export async function openRawClient(port: number): Promise<RawClient> {
  const client = new RawClient(port);
  await once(client.socket, 'connect');
  return client;
}
