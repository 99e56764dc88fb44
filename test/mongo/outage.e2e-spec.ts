import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mongoSessions } from 'nestjs-redis-session/mongo';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { type FerretServer, startFerretServer } from '../../tools/servers/ferretdb-server.mjs';
import { Barrier } from '../support/waiting/barrier.js';
import { eventually } from '../support/waiting/eventually.js';
import { type Answer, send } from '../support/http/http-client.js';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { OutageController } from '../support/faults/outage-controller.js';
import { type StartedApp, startApp } from '../support/apps/start-app.js';
import { startTcpProxy, type TcpProxy } from '../support/faults/tcp-proxy.js';

const DEADLINE_MS = 500;
const SLACK_MS = 300;

let server: FerretServer;
let proxy: TcpProxy;
let barrier: Barrier;
let undo: (() => Promise<void>) | undefined;
const log = new LoggedLines();
const secrets: string[] = [];

const later = (act: () => void) => () => {
  act();
  return Promise.resolve();
};
const network = {
  stopped: { fail: () => server.end(), recover: () => server.start() },
  'cut off': { fail: () => proxy.refuse(), recover: () => proxy.accept() },
  silent: { fail: later(() => proxy.pause()), recover: later(() => proxy.resume()) },
  'silent for good on the connections of before': {
    fail: later(() => proxy.swallow()),
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
  server = await startFerretServer();
  proxy = await startTcpProxy({ targetPort: server.port });
});

afterAll(async () => {
  await proxy.refuse();
  await server.stop();
});

beforeEach(() => {
  barrier = OutageController.barrier = new Barrier();
});

describe.each(['express', 'fastify'] as const)('on %s, when MongoDB is', (platform) => {
  let replica: StartedApp;

  const startWith = async (options: RedisSessionModuleOptions = {}) => {
    const store = mongoSessions({ db: `mongodb://127.0.0.1:${proxy.port}/shop` });
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
    for (const path of ['json', 'login', 'logout'] as const)
      expectUnavailable(await ask(`POST /${path}`, cookie));
    for (const path of ['json', 'redirect', 'stream', 'res', 'error', 'swallow'] as const)
      expectUnavailable(await ask(`POST /${path}`));
    expectUnavailable(await ask('GET /me', cookie));
    expect((await ask('GET /read')).status).toBe(200);
    await recover();
    await eventually(isBack);
    expect((await ask('GET /me', cookie)).status).toBe(200);
  });

  it('silent for good on its connections, opens others', async () => {
    await startWith();
    const cookie = await login();
    await failBy('silent for good on the connections of before');
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
      const { status, headers } = await answer;
      expect([status, headers['set-cookie']]).toEqual([503, undefined]);
      await recover();
      await eventually(isBack);
      expect((await ask('GET /me', cookie)).status).toBe(200);
    },
  );
});

describe('what was logged meanwhile', () => {
  it('tells of the outage, and no session id', () => {
    expect(log.text).toContain('no answer within');
    expect(secrets.length).toBeGreaterThan(5);
    for (const secret of secrets) expect(log.text).not.toContain(secret);
  });
});
