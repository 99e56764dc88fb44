import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Between an application and its Redis, and changes what Redis answers. */
export interface LyingProxy {
  readonly url: string;
  /**
   * Set by a test.
   *
   * @param reply - what comes from Redis at once
   * @param command - what the application has sent last
   */
  answerOf: (reply: Buffer, command: string) => Buffer | string;
  /** Ends all connections. */
  cut(): void;
  stop(): void;
}

/** Starts a proxy that is honest until `answerOf` is set. @param targetPort - of Redis, on 127.0.0.1 */
export async function startLyingProxy(targetPort: number): Promise<LyingProxy> {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client.on('close', () => clients.delete(client)));
    const target = connect(targetPort, '127.0.0.1');
    let command = '';
    client.on('data', (chunk) => {
      command = String(chunk);
      target.write(chunk);
    });
    target.on('data', (reply) => client.write(proxy.answerOf(reply, command)));
    target.on('close', () => client.destroy());
    target.on('error', () => client.destroy());
    client.on('close', () => target.destroy());
    client.on('error', () => target.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const proxy: LyingProxy = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerOf: (reply) => reply,
    cut: () => {
      for (const client of clients) client.destroy();
    },
    stop: () => void server.close(),
  };
  return proxy;
}
