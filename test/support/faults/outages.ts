import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { LoggedLines } from '../apps/logged-lines.js';
import { PLATFORMS, startApp, type StartedApp } from '../apps/start-app.js';
import { type Answer, send } from '../http/http-client.js';
import { Barrier } from '../waiting/barrier.js';
import { eventually } from '../waiting/eventually.js';
import { OutageController } from './outage-controller.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** Short enough to wait for, and long enough for a busy machine. */
const DEADLINE_MS = 1000;

/** A server of a store, which can be ended and started again with its data. */
export interface StoreServer {
  readonly port: number;
  end(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The store of the outages. */
export interface OutagePlace {
  readonly name: string;
  readonly startServer: () => Promise<StoreServer>;
  /** @returns the sessions in the server that is reached through `port` of 127.0.0.1 */
  readonly storeAt: (port: number) => RedisSessionModuleOptions['store'];
  /** What the log must have told in the end. */
  readonly told: readonly string[];
}

/** What clients see while the server of the sessions is away, and what the log tells of it. */
export function describeOutages(place: OutagePlace): void {
  let server: StoreServer;
  let proxy: TcpProxy;
  let barrier: Barrier;
  let recover: () => unknown;
  const log = new LoggedLines();
  const secrets: string[] = [];

  const faults = {
    stopped: { begin: () => server.end(), end: () => server.start() },
    'cut off': { begin: () => proxy.refuse(), end: () => proxy.accept() },
    silent: { begin: () => proxy.pause(), end: () => proxy.resume() },
  };
  const failBy = async (fault: keyof typeof faults) => {
    recover = faults[fault].end;
    await faults[fault].begin();
  };
  const recovery = async () => {
    const end = recover;
    recover = () => undefined;
    await end();
  };

  beforeAll(async () => {
    server = await place.startServer();
    proxy = await startTcpProxy({ targetPort: server.port });
  });

  afterAll(async () => {
    await proxy.refuse();
    await server.stop();
  });

  beforeEach(() => {
    recover = () => undefined;
    barrier = OutageController.barrier = new Barrier();
  });

  describe.each(PLATFORMS)(`on %s, when ${place.name} is`, (platform) => {
    let replica: StartedApp;

    const startWith = async (options: RedisSessionModuleOptions = {}) => {
      replica = await startApp(platform, {
        controllers: [OutageController],
        log,
        options: { commandTimeoutMs: DEADLINE_MS, store: place.storeAt(proxy.port), ...options },
      });
    };
    const ask = (...[line, cookie]: [Parameters<typeof send>[1], string?]) =>
      send(replica.port, line, { cookie });
    const login = async () => {
      const { cookie = '' } = await ask('POST /login');
      secrets.push(cookie.slice('SESSION='.length));
      return cookie;
    };
    const isBack = async () => (await ask('POST /json')).status === 201;
    const expectUnavailable = ({ status, headers }: Answer) => {
      expect([status, headers['set-cookie']]).toEqual([503, undefined]);
    };

    afterEach(async () => {
      await recovery();
      barrier.open();
      await replica.close();
    });

    it.each(['stopped', 'cut off', 'silent'] as const)(
      '%s, answers 503 while it lasts, and is back by itself',
      async (fault) => {
        await startWith();
        const cookie = await login();
        await failBy(fault);
        const ofUser = ['POST /json', 'POST /login', 'POST /logout', 'GET /me'] as const;
        const ofNewVisitor = ['json', 'redirect', 'stream', 'res', 'error', 'swallow'] as const;
        const answers = [
          ...ofUser.map((line) => ask(line, cookie)),
          ...ofNewVisitor.map((path) => ask(`POST /${path}`)),
        ];
        for (const answer of await Promise.all(answers)) expectUnavailable(answer);
        expect((await ask('GET /read')).status).toBe(200);
        await recovery();
        await eventually(isBack);
        expect((await ask('GET /me', cookie)).status).toBe(200);
      },
    );

    it('silent for good on its connections, works on others', async () => {
      await startWith();
      const cookie = await login();
      proxy.swallow();
      await eventually(isBack);
      expect((await ask('GET /me', cookie)).status).toBe(200);
    });

    it.each(['held-json', 'held-res', 'held-logout'] as const)(
      'cut off during %s, answers 503, and the user is still logged in',
      async (path) => {
        await startWith();
        const cookie = await login();
        const answer = ask(`POST /${path}`, cookie);
        await barrier.reachedBy(1);
        await failBy('cut off');
        barrier.open();
        expectUnavailable(await answer);
        await recovery();
        await eventually(isBack);
        expect((await ask('GET /me', cookie)).status).toBe(200);
      },
    );

    it("cut off, serves anonymous readers with onStoreUnavailable 'anonymous'", async () => {
      await startWith({ onStoreUnavailable: 'anonymous' });
      const cookie = await login();
      await failBy('cut off');
      const read = await ask('GET /read', cookie);
      expect([read.status, read.headers['set-cookie']]).toEqual([200, undefined]);
      expectUnavailable(await ask('POST /json', cookie));
    });
  });

  describe('what was logged meanwhile', () => {
    it('tells of the outages, and no session id', () => {
      for (const text of place.told) expect(log.text).toContain(text);
      expect(secrets.length).toBeGreaterThan(5);
      for (const secret of secrets) expect(log.text).not.toContain(secret);
    });
  });
}
