import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mongoSessions } from 'nestjs-redis-session/mongo';
import { MongoClient } from 'mongodb';
import request, { type Test } from 'supertest';
import { type SessionDocument } from '../../libs/redis-session/src/mongo/session-document.js';
import { ANSWERING_CONTROLLERS, WAYS_TO_ANSWER } from '../support/apps/answering-controllers.js';
import { PLATFORMS, type StartedApp, startApp } from '../support/apps/start-app.js';
import { OutageController } from '../support/faults/outage-controller.js';
import { openRawClient } from '../support/http/raw-client.js';
import { sessionCookieLinesOf, sessionCookieOf } from '../support/http/session-cookie.js';
import { startTcpProxy, type TcpProxy } from '../support/faults/tcp-proxy.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const ONE_WAY_DELAY_MS = 50;
const REPETITIONS = 5;
const mongo = useTestMongo();
const sessions = () => mongo.db.collection<SessionDocument>('http_sessions');

describe.each(PLATFORMS)('sessions in MongoDB on %s', (platform) => {
  const ways = WAYS_TO_ANSWER[platform];
  let proxy: TcpProxy;
  let slow: StartedApp;

  beforeAll(async () => {
    proxy = await startTcpProxy({ targetPort: mongo.port });
    slow = await startApp(platform, {
      options: {
        store: mongoSessions({ db: mongo.urlAt(proxy.port) }),
        commandTimeoutMs: 20_000,
      },
      controllers: [ANSWERING_CONTROLLERS[platform]],
    });
    proxy.delayMs = ONE_WAY_DELAY_MS;
  });

  afterAll(async () => {
    await slow.close();
    await proxy.refuse();
  });

  async function storedValue(cookie: string): Promise<unknown> {
    const stored = await sessions().findOne({ sessionId: cookie.slice('SESSION='.length) });
    const text = stored?.attributes?.['value'];
    return text === undefined ? undefined : JSON.parse(text);
  }

  it.each(ways)('are committed at the first byte of $title', async (way) => {
    const known = await Promise.all(
      Array.from({ length: REPETITIONS }, async () =>
        sessionCookieOf(await request(slow.url).post('/value')),
      ),
    );
    const visitors = [...known, ...known.map(() => undefined)];
    const hops = visitors.map(async (cookie) => {
      const value = randomUUID();
      const sent = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`;
      const client = await openRawClient(slow.port);
      client.send(`${way.method} ${way.path}?value=${value} HTTP/1.1\r\nHost: test\r\n${sent}\r\n`);
      const head = String(await client.firstBytes);
      const [, announced = ''] = /^set-cookie: (SESSION=[^;]+)/im.exec(head) ?? [];
      const stored = await storedValue(cookie ?? announced);
      client.close();
      expect([head.split(' ')[1], stored]).toEqual([String(way.status), value]);
    });
    await Promise.all(hops);
  });
});

describe.each(PLATFORMS)('commands of a request on %s', (platform) => {
  let client: MongoClient;
  let app: StartedApp;
  let commands: string[];
  const get = (path: string): Test => request(app.url).get(path);
  const post = (path: string): Test => request(app.url).post(path);

  async function costOf(exchange: Test): Promise<string[]> {
    commands = [];
    expect((await exchange).status).toBeLessThan(400);
    return commands;
  }

  beforeAll(async () => {
    client = new MongoClient(mongo.url, { monitorCommands: true });
    client.on('commandStarted', ({ commandName }) => commands.push(commandName));
    commands = [];
    app = await startApp(platform, {
      options: { store: mongoSessions({ db: client.db() }), maxInactiveIntervalSeconds: 60 },
      controllers: [OutageController],
    });
  });

  afterAll(async () => {
    await app.close();
    await client.close();
  });

  beforeEach(async () => {
    await sessions().deleteMany({});
  });

  it('are none for an anonymous visitor, who gets no session and no cookie', async () => {
    expect(await costOf(get('/read'))).toEqual([]);
    expect(await costOf(get('/read').set('Cookie', 'SESSION=abc'))).toEqual([]);
    expect(sessionCookieLinesOf(await get('/read'))).toEqual([]);
    expect(await sessions().countDocuments()).toBe(0);
  });

  it('are one to read with a record of the access, and one more to change, log in and log out', async () => {
    const cookie = sessionCookieOf(await post('/json'));
    expect(await costOf(get('/read').set('Cookie', cookie))).toEqual(['findAndModify']);
    expect(await costOf(get('/read').set('Cookie', cookie))).toEqual(['find']);
    expect(await costOf(post('/json').set('Cookie', cookie))).toEqual(['find', 'update']);
    const login = post('/login').set('Cookie', cookie);
    expect(await costOf(login)).toEqual(['find', 'update']);
    const loggedIn = sessionCookieOf(await login);
    expect(await costOf(post('/logout').set('Cookie', loggedIn))).toEqual([
      'findAndModify',
      'delete',
    ]);
    expect(await sessions().countDocuments()).toBe(0);
  });

  it('are one to begin a session with an attribute', async () => {
    expect(await costOf(post('/json'))).toEqual(['update']);
  });

  it('are two for an update: a read, and a write that compares', async () => {
    const cookie = sessionCookieOf(await post('/json'));
    expect(await costOf(post('/awaited-update').set('Cookie', cookie))).toEqual([
      'findAndModify',
      'update',
    ]);
  });
});
