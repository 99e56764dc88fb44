import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { springSession } from 'nestjs-redis-session/spring';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import { type LyingProxy, startLyingProxy } from '../../support/faults/lying-proxy.js';
import { VisitController } from '../../support/faults/visit-controller.js';
import { Visitor } from '../../support/http/visitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { eventually } from '../../support/waiting/eventually.js';

const VALUE = 'secret-471';

let redis: Awaited<ReturnType<typeof startRedis>>;
let proxy: LyingProxy;
let log: LoggedLines;
let app: StartedApp;

beforeEach(async () => {
  redis = await startRedis();
  proxy = await startLyingProxy(redis.port);
  log = new LoggedLines();
});

afterEach(async () => {
  await app.close();
  await redis.stop();
  proxy.stop();
});

describe('the log', () => {
  let cookie: string;

  beforeEach(async () => {
    app = await startApp('express', { ...SESSION_ROUTES, options: { redis: proxy.url }, log });
    cookie = sessionCookieOf(await request(app.url).put('/attributes').send({ a: VALUE }));
  });

  it('has no value of a reply that comes twice', async () => {
    proxy.answerOf = (reply) => (reply.includes(VALUE) ? Buffer.concat([reply, reply]) : reply);
    await request(app.url).get('/session').set('Cookie', cookie).expect(200);
    await eventually(() => Promise.resolve(log.text.includes('Command queue state error')));
    expect(log.text).not.toContain(VALUE);
  });

  it('has no id of a key that an error quotes', async () => {
    const [, id = ''] = cookie.split('=');
    const key = `nest:session:sessions:{${id.slice(0, 8)}}${id.slice(8)}`;
    proxy.answerOf = () => `-ERR no server for '${key}'\r\n`;
    await request(app.url).get('/session').set('Cookie', cookie).expect(503);
    expect(log.text).toContain('ERR no server for');
    expect(log.text).not.toContain(id.slice(8));
  });
});

const CLOCK = ':1700000000000';

/** What no Redis says to a script or to HGETALL. */
const WRONG_REPLIES = ['$-1', '+OK', ':1', '$2\r\n{}', '*1\r\n+OK', '*2\r\n:1\r\n$-1'];

describe.each([
  ['express', 'default', { touchIntervalSeconds: 0 }],
  ['fastify', 'default', { touchIntervalSeconds: 60 }],
  ['express', 'default', { features: [springSession()] }],
  ['fastify', 'indexed', { touchIntervalSeconds: 60 }],
] as const)('on %s with the %s repository and %j', (platform, repository, options) => {
  let visitor: Visitor;

  beforeEach(async () => {
    const all = { ...options, redis: proxy.url, repository };
    app = await startApp(platform, { controllers: [VisitController], options: all, log });
    visitor = new Visitor(app.url);
    await visitor.post('/login');
  });

  it.each([...WRONG_REPLIES, `*2\r\n:1\r\n${CLOCK}`])(
    'a read that gets %j is answered with 503',
    async (wrong) => {
      proxy.answerOf = () => `${wrong}\r\n`;
      expect((await visitor.get('/me')).status).toBe(503);
      expect(log.text).toContain('the session store failed');
      proxy.answerOf = (reply) => reply;
      expect((await visitor.get('/me')).status).toBe(200);
    },
  );

  it.each(WRONG_REPLIES)('a save that gets %j is answered with 503', async (wrong) => {
    proxy.answerOf = (reply, command) =>
      command.includes('sessionAttr:') ? `${wrong}\r\n` : reply;
    expect((await visitor.post('/login')).status).toBe(503);
    expect((await visitor.post('/begin')).status).toBe(503);
    expect((await visitor.post('/count')).status).toBe(503);
    expect(log.text).toContain('the session store failed');
  });
});

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository', (platform, repository) => {
  it.each([
    ['of none', `*2\r\n:1\r\n${CLOCK}`],
    ['of too many', `*6\r\n:1\r\n${CLOCK}\r\n:1\r\n$0\r\n\r\n:1\r\n$0\r\n`],
  ])('the save of an attribute whose reply tells %s is answered with 503', async (_, wrong) => {
    const options = { redis: proxy.url, repository, touchIntervalSeconds: 0 };
    app = await startApp(platform, { controllers: [VisitController], options, log });
    const visitor = new Visitor(app.url);
    await visitor.post('/login');
    proxy.answerOf = (reply, command) => (command.includes('theme') ? `${wrong}\r\n` : reply);
    expect((await visitor.post('/begin')).status).toBe(503);
    expect(log.text).toContain('its reply makes no sense');
  });
});

const java = springSession({ serialization: 'jdk', storesLogins: 'default' });

describe.each([
  ['express', 'default', {}],
  ['fastify', 'indexed', {}],
  ['express', 'default', { features: [springSession()] }],
  ['fastify', 'default', { features: [java] }],
] as const)('on %s with the %s repository and %j', (platform, repository, sharing) => {
  it('a login and a change that get the reply to another script are answered with 503', async () => {
    const options = { ...sharing, redis: proxy.url, repository };
    app = await startApp(platform, { controllers: [VisitController], options, log });
    const known = new Visitor(app.url);
    await known.post('/login');
    proxy.answerOf = (reply, command) =>
      command.includes('sessionAttr:') ? `*2\r\n:1\r\n${CLOCK}\r\n` : reply;
    const statuses: number[] = [];
    for (const [visitor, path] of [
      [new Visitor(app.url), '/login'],
      [known, '/login'],
      [known, '/count'],
    ] as const)
      statuses.push((await visitor.post(path)).status);
    expect(statuses).toEqual([503, 503, 503]);
    expect(log.text).toContain('its reply makes no sense');
  });
});

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository', (platform, repository) => {
  it('answers as usual although Redis forgets each script twice', async () => {
    const options = { redis: proxy.url, repository, touchIntervalSeconds: 0 };
    app = await startApp(platform, { controllers: [VisitController], options, log });
    const visitor = new Visitor(app.url);
    let lies = 0;
    proxy.answerOf = (reply, command) =>
      /eval/i.test(command) && lies-- > 0 ? '-NOSCRIPT No matching script.\r\n' : reply;
    const statuses: number[] = [];
    const told: boolean[] = [];
    for (const path of ['/login', '/begin', '/login', '/logout']) {
      lies = 2;
      statuses.push((await visitor.post(path)).status);
      told.push(lies <= 0);
    }
    expect(statuses).toEqual([201, 201, 201, 201]);
    expect(told).toContain(true);
  });
});

describe.each([
  ['default', /\bdel\b/i],
  ['indexed', /eval.*:ended/is],
] as const)('a logout of the %s repository that gets a reply of a wrong type', (...parts) => {
  const [repository, deletion] = parts;

  it.each(['+OK', '$-1'])('such as %j is answered with 503', async (wrong) => {
    const options = { redis: proxy.url, repository };
    app = await startApp('express', { controllers: [VisitController], options, log });
    const visitor = new Visitor(app.url);
    await visitor.post('/login');
    proxy.answerOf = (reply, command) => (deletion.test(command) ? `${wrong}\r\n` : reply);
    expect((await visitor.post('/logout')).status).toBe(503);
  });
});
