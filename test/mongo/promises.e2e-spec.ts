import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mongoSessions } from 'nestjs-redis-session/mongo';
import { MongoClient } from 'mongodb';
import request, { type Test } from 'supertest';
import { type SessionDocument } from '../../libs/redis-session/src/mongo/sessions/session-document.js';
import { PLATFORMS, type StartedApp, startApp } from '../support/apps/start-app.js';
import { describeCommits } from '../support/faults/commits.js';
import { OutageController } from '../support/faults/outage-controller.js';
import { sessionCookieLinesOf, sessionCookieOf } from '../support/http/session-cookie.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const mongo = useTestMongo();
const sessions = () => mongo.db.collection<SessionDocument>('http_sessions');

describeCommits({
  name: 'MongoDB',
  port: () => mongo.port,
  storeAt: (port) => mongoSessions({ db: mongo.urlAt(port) }),
  storedText: async (sessionId) => {
    const stored = await sessions().findOne({ sessionId });
    return stored?.attributes?.['value'];
  },
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
