import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { type PostgresServer, startPostgresServer } from '../../tools/servers/postgres-server.mjs';
import { Barrier } from '../support/waiting/barrier.js';
import { eventually } from '../support/waiting/eventually.js';
import { type Answer, send } from '../support/http/http-client.js';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { OutageController } from '../support/faults/outage-controller.js';
import { startApp, type StartedApp } from '../support/apps/start-app.js';
import { startTcpProxy, type TcpProxy } from '../support/faults/tcp-proxy.js';

const DEADLINE_MS = 300;
const SLACK_MS = 300;

let server: PostgresServer;
let proxy: TcpProxy;
let barrier: Barrier;
let undo: (() => Promise<void>) | undefined;
const log = new LoggedLines();
const secrets: string[] = [];

const network = {
  stopped: { fail: () => server.end(), recover: () => server.start() },
  'cut off': { fail: () => proxy.refuse(), recover: () => proxy.accept() },
  silent: {
    fail: () => {
      proxy.pause();
      return Promise.resolve();
    },
    recover: () => {
      proxy.resume();
      return Promise.resolve();
    },
  },
  'silent for good on the connections of before': {
    fail: () => {
      proxy.swallow();
      return Promise.resolve();
    },
    recover: () => Promise.resolve(),
  },
};
type Way = keyof typeof network;
const WAYS = Object.keys(network) as Way[];

async function failBy(way: Way): Promise<void> {
  undo = network[way].recover;
  await network[way].fail();
}

async function recover(): Promise<void> {
  await undo?.();
  undo = undefined;
}

beforeAll(async () => {
  server = await startPostgresServer();
  proxy = await startTcpProxy({ targetPort: server.port });
});

afterAll(async () => {
  await proxy.refuse();
  await server.stop();
});

beforeEach(() => {
  barrier = OutageController.barrier = new Barrier();
});

describe.each(['express', 'fastify'] as const)('on %s, when PostgreSQL is', (platform) => {
  let replica: StartedApp;

  const startWith = async (options: RedisSessionModuleOptions = {}) => {
    const pool = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    const store = postgresSessions({ pool, createTables: true });
    replica = await startApp(platform, {
      controllers: [OutageController],
      log,
      options: { commandTimeoutMs: DEADLINE_MS, store, ...options },
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
  const expectUnavailable = (answer: Answer) => {
    expect(answer.status).toBe(503);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.durationMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
  };

  afterEach(async () => {
    await recover();
    barrier.open();
    await replica.close();
  });

  it.each(WAYS.slice(0, 3))('%s, answers 503 in time, and is back by itself', async (way) => {
    await startWith();
    const cookie = await login();
    await failBy(way);
    const ofUser = ['POST /json', 'POST /login', 'POST /logout', 'GET /me'] as const;
    const ofNewVisitor = ['json', 'redirect', 'stream', 'res', 'error', 'swallow'] as const;
    const answers = [
      ...ofUser.map((line) => ask(line, cookie)),
      ...ofNewVisitor.map((path) => ask(`POST /${path}`)),
    ];
    for (const answer of await Promise.all(answers)) expectUnavailable(answer);
    expect((await ask('GET /read')).status).toBe(200);
    await recover();
    await eventually(isBack);
    expect((await ask('GET /me', cookie)).status).toBe(200);
  });

  it('silent for good on its connections, opens others after one deadline', async () => {
    await startWith();
    const cookie = await login();
    await failBy('silent for good on the connections of before');
    await eventually(isBack, 3000);
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
      const { status, headers } = await answer;
      expect([status, headers['set-cookie']]).toEqual([503, undefined]);
      await recover();
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

describe('when PostgreSQL restarts while nobody asks', () => {
  it.each([true, false])('the process stays up (indexed: %s)', async (isIndexed) => {
    const store = postgresSessions({ pool: server.url, createTables: true });
    const repository = isIndexed ? 'indexed' : 'default';
    const replica = await startApp('express', {
      controllers: [OutageController],
      log,
      options: { store, repository, commandTimeoutMs: 2000 },
    });
    const { cookie } = await send(replica.port, 'POST /login');
    await server.end();
    await server.start();
    await eventually(async () => (await send(replica.port, 'GET /me', { cookie })).status === 200);
    await replica.close();
  });
});

describe('what was logged meanwhile', () => {
  it('tells that connections were lost and are back, and no session id', () => {
    expect(log.text).toContain('A connection to PostgreSQL is lost');
    expect(log.text).toContain('The connection to PostgreSQL is back.');
    expect(secrets.length).toBeGreaterThan(5);
    for (const secret of secrets) expect(log.text).not.toContain(secret);
  });
});
