import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A real HTTP server on a free port of the loopback interface, closed by `close`. */
export interface RawServer {
  readonly port: number;
  readonly server: Server;
  close(): Promise<void>;
}

export async function startRawServer(listener: RequestListener): Promise<RawServer> {
  const server = createServer({ keepAliveTimeout: 0 }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A client that keeps every byte it gets. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  private readonly chunks: Buffer[] = [];
  /** Whether the connection ended with a reset. */
  wasReset = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    this.socket.on('error', () => {
      this.wasReset = true;
    });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => {
        resolve();
      });
      this.socket.once('end', () => this.socket.end());
    });
  }

  send(method = 'GET', options: { version?: string; close?: boolean } = {}): void {
    const { version = '1.1', close = true } = options;
    const connection = close ? 'Connection: close\r\n' : '';
    this.socket.write(`${method} / HTTP/${version}\r\nHost: test\r\n${connection}\r\n`);
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
}

/** Lets everything happen that can happen without the outside: timers of zero, promises, the loopback socket. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
