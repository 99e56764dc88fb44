import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';

/** Where sessions are written, and how their cookies are signed. */
export interface WriterSetup {
  readonly redisUrl: string;
  readonly keyPrefix: string;
  readonly secret: string;
}

/** A server of express-session and connect-redis alone, for many sessions in little time. */
export interface SessionWriter {
  /** `GET <url>/?<JSON of attributes>` makes a session. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startSessionWriter(setup: WriterSetup): Promise<SessionWriter> {
  const client = createClient({ url: setup.redisUrl });
  await client.connect();
  const store = new RedisStore({ client, prefix: setup.keyPrefix });
  const { secret } = setup;
  const middleware = session({ secret, store, resave: false, saveUninitialized: false }) as unknown;
  const server: Server = createServer((request, response) => {
    (middleware as (...args: unknown[]) => void)(request, response, () => {
      const attributes = decodeURIComponent((request.url ?? '').slice(2));
      Object.assign((request as unknown as { session: object }).session, JSON.parse(attributes));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await client.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
