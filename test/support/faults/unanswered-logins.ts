import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type SessionStore } from 'nestjs-redis-session/store';
import { PLATFORMS, type StartedApp, startApp } from '../apps/start-app.js';
import { Visitor } from '../http/visitor.js';
import { eventually } from '../waiting/eventually.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
import { VisitController } from './visit-controller.js';

/** A store whose answer to a login is lost. */
export interface UnansweredLogins {
  readonly name: string;
  /** Of the server, on 127.0.0.1. */
  readonly port: () => number;
  /** The store behind a proxy. */
  readonly storeAt: (port: number) => SessionStore;
  /** Whether the server stores a login when it gets `command` on `connection`. */
  readonly storesLogin: (command: Buffer, connection: object) => boolean;
}

/** A login that is stored, but answered with 503: nobody can use it, and nobody can log it out. */
export function describeUnansweredLogins(input: UnansweredLogins): void {
  const { name, port, storeAt, storesLogin } = input;

  describe.each(PLATFORMS)(
    `a login on %s whose answer ${name} does not get through`,
    (platform) => {
      let proxy: TcpProxy;
      let app: StartedApp;

      beforeEach(async () => {
        proxy = await startTcpProxy({ targetPort: port() });
        app = await startApp(platform, {
          controllers: [VisitController],
          options: {
            commandTimeoutMs: 1000,
            indexed: { maximumSessions: 1, maximumSessionsPolicy: 'reject-login' },
            repository: 'indexed',
            store: storeAt(proxy.port),
          },
        });
      });

      afterEach(async () => {
        await app.close();
        await proxy.refuse();
      });

      const login = async (visitor: Visitor) => (await visitor.post('/login')).status;

      /** @returns how often the answer was lost */
      const loseAnswerOnce = () => {
        const seen = { lost: 0 };
        proxy.losesReplyTo = (command, connection) => {
          if (seen.lost > 0 || !storesLogin(command, connection)) return false;
          seen.lost += 1;
          return true;
        };
        return seen;
      };

      it('is answered with 503, and leaves its place to the next one', async () => {
        const seen = loseAnswerOnce();
        expect(await login(new Visitor(app.url))).toBe(503);
        expect(seen.lost).toBe(1);
        const visitor = new Visitor(app.url);
        await eventually(async () => (await login(visitor)) === 201);
        expect((await visitor.get('/me')).status).toBe(200);
      });
    },
  );
}
