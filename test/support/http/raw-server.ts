import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';

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

/** Lets everything happen that can happen without the outside: timers of zero, promises, the loopback socket. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
