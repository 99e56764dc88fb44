import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One TCP connection to an HTTP server, without any HTTP client's help or caution. */
export interface RawClient {
  readonly socket: Socket;
  send(bytes: string | Uint8Array): void;
  /** Resolves with the first chunk, at the moment it arrives; rejects when the connection ends without one. */
  readonly firstBytes: Promise<Buffer>;
  /** Everything that the server sent until it closed the connection: ask with `Connection: close`. */
  readonly response: Promise<Buffer>;
  close(): void;
}

/** Connects to `port` of 127.0.0.1. */
export async function openRawClient(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const firstBytes = new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('close', () => reject(new Error('The connection ended before the first byte.')));
  });
  const response = new Promise<Buffer>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.concat(chunks)));
  });
  // A test may wait for only one of the two.
  firstBytes.catch(() => undefined);
  response.catch(() => undefined);
  const send = (bytes: string | Uint8Array): void => void socket.write(bytes);
  return { socket, send, firstBytes, response, close: () => socket.destroy() };
}
