import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { eventually } from '../../support/waiting/eventually.js';

const VALUE = 'secret-471';

/** Between the application and Redis: changes what Redis answers. */
let answerOf: (reply: Buffer) => Buffer | string;
let redis: Awaited<ReturnType<typeof startRedis>>;
let proxy: Server;
let log: LoggedLines;
let app: StartedApp;
let cookie: string;

beforeEach(async () => {
  answerOf = (reply) => reply;
  redis = await startRedis();
  proxy = createServer((client) => {
    const server = connect(redis.port, '127.0.0.1');
    client.pipe(server);
    server.on('data', (reply) => client.write(answerOf(reply)));
    server.on('close', () => client.destroy());
    client.on('error', () => server.destroy());
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  log = new LoggedLines();
  app = await startApp('express', {
    ...SESSION_ROUTES,
    options: { redis: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}` },
    log,
  });
  cookie = sessionCookieOf(await request(app.url).put('/attributes').send({ a: VALUE }));
});

afterEach(async () => {
  await app.close();
  await redis.stop();
  proxy.close();
});

describe('the log', () => {
  it('has no value of a reply that comes twice', async () => {
    answerOf = (reply) => (reply.includes(VALUE) ? Buffer.concat([reply, reply]) : reply);
    await request(app.url).get('/session').set('Cookie', cookie).expect(200);
    await eventually(() => Promise.resolve(log.text.includes('Command queue state error')));
    expect(log.text).not.toContain(VALUE);
  });

  it('has no id of a key that an error quotes', async () => {
    const [, id = ''] = cookie.split('=');
    const key = `nest:session:sessions:{${id.slice(0, 8)}}${id.slice(8)}`;
    answerOf = () => `-ERR no server for '${key}'\r\n`;
    await request(app.url).get('/session').set('Cookie', cookie).expect(503);
    expect(log.text).toContain('ERR no server for');
    expect(log.text).not.toContain(id.slice(8));
  });
});

describe('a read that gets nil, which no Redis says', () => {
  it('is answered with 503', async () => {
    answerOf = () => '$-1\r\n';
    await request(app.url).get('/session').set('Cookie', cookie).expect(503);
    expect(log.text).toContain('Cannot load the session: the session store failed');
  });
});
