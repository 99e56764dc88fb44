import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  ANSWERING_CONTROLLERS,
  WAYS_TO_ANSWER,
  type WayToAnswer,
} from '../../support/apps/answering-controllers.js';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { eventually } from '../../support/waiting/eventually.js';
import { openRawClient, type RawClient } from '../../support/http/raw-client.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import {
  CHUNK_COUNT,
  CHUNK_LENGTH,
  type Flow,
  FLOW,
  SIGNALS,
  StreamingController,
} from '../../support/apps/streaming-controller.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const REPETITIONS = 20;
const ONE_WAY_DELAY_MS = 100;
/** Bytes of the head, and of the lengths in front of chunks. */
const MAX_FRAMING_LENGTH = 1024;
const LAST_CHUNK = '\r\n0\r\n\r\n';

/** A visitor who asks for the change of one session. */
interface Visit {
  readonly way: WayToAnswer;
  /** As sent in the header; undefined = a visitor without a session. */
  readonly cookie?: string | undefined;
  readonly value: string;
}

function requestOf({ way: { method, path }, cookie, value }: Visit): string {
  const lines = [`${method} ${path}?value=${value} HTTP/1.1`, 'Host: test', 'Connection: close'];
  if (cookie !== undefined) lines.push(`Cookie: ${cookie}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The whole response but for what differs between any two: the date, and the session cookie. */
async function responseOf(app: StartedApp, visit: Visit) {
  const client = await openRawClient(app.port);
  let end = '';
  client.socket.on('data', (chunk: Buffer) => {
    end = (end + chunk.toString('latin1')).slice(-LAST_CHUNK.length);
    // SSE keeps the connection open whatever the client asked for.
    if (end === LAST_CHUNK) client.socket.end();
  });
  client.send(requestOf(visit));
  const bytes = (await client.response).toString('latin1');
  const [head = ''] = bytes.split('\r\n\r\n', 1);
  const body = bytes.slice(head.length);
  return {
    head: head.split('\r\n').filter((line) => !/^(Date:|Set-Cookie: SESSION=)/i.test(line)),
    bodyLength: body.length,
    bodyHash: createHash('sha256').update(body, 'latin1').digest('hex'),
  };
}

describe.each(PLATFORMS)('a session that a request changes on %s', (platform) => {
  const redis = useTestRedis();
  const ways = WAYS_TO_ANSWER[platform];
  const controllers = [ANSWERING_CONTROLLERS[platform]];
  const flow: Flow = { chunksMade: 0, maxWaitingBytes: 0, highWaterMark: 0 };
  const signals = new EventEmitter();
  let proxy: TcpProxy;
  let slow: StartedApp;
  let other: StartedApp;
  let withoutSessions: StartedApp;
  let cookies: string[];

  beforeAll(async () => {
    const { port } = new URL(process.env['TEST_REDIS_URL'] ?? '');
    proxy = await startTcpProxy({ targetPort: Number(port) });
    const start = (redisPort: number): Promise<StartedApp> => {
      // Auto-pipelining would let each command wait for those in flight, and this file run twice as long.
      const address = { host: '127.0.0.1', port: redisPort, enableAutoPipelining: false };
      const options = { redis: address, namespace: redis.namespace, commandTimeoutMs: 20_000 };
      return startApp(platform, {
        options: { ...options, security: { cacheControl: false } },
        controllers: [...controllers, StreamingController],
        providers: [
          { provide: FLOW, useValue: flow },
          { provide: SIGNALS, useValue: signals },
        ],
      });
    };
    slow = await start(proxy.port);
    other = await start(Number(port));
    withoutSessions = await startApp(platform, { controllers });
    const startSession = async () => sessionCookieOf(await request(slow.url).post('/value'));
    cookies = await Promise.all(Array.from({ length: REPETITIONS / 2 }, startSession));
    proxy.delayMs = ONE_WAY_DELAY_MS;
  });

  afterAll(async () => {
    await Promise.all([slow, other, withoutSessions].map((app) => app.close()));
    await proxy.refuse();
  });

  async function valueOnOtherReplica(cookie: string): Promise<unknown> {
    const { body } = (await request(other.url).get('/value').set('Cookie', cookie)) as {
      body: { value: unknown };
    };
    return body.value;
  }

  /** What the other replica knows at the moment of the first byte. */
  async function hop(client: RawClient, { way, cookie }: Visit): Promise<unknown> {
    const head = String(await client.firstBytes);
    client.socket.pause();
    expect(head).toContain(`HTTP/1.1 ${way.status} `);
    const [, announced = ''] = /^set-cookie: (SESSION=[^;]+)/im.exec(head) ?? [];
    const value = await valueOnOtherReplica(cookie ?? announced);
    client.close();
    return value;
  }

  it.each(ways)('is on another replica at the first byte of $title, every time', async (way) => {
    const newVisitors = cookies.map(() => undefined);
    const visits = [...cookies, ...newVisitors].map((cookie) => {
      return { way, cookie, value: randomUUID() };
    });
    const clients = await Promise.all(visits.map(() => openRawClient(slow.port)));
    const hops = visits.map((visit, index) => hop(clients[index]!, visit));
    visits.forEach((visit, index) => clients[index]!.send(requestOf(visit)));
    expect(await Promise.all(hops)).toEqual(visits.map(({ value }) => value));
  });

  it.each([
    ['a session', () => cookies[0]],
    ['no session yet', () => undefined],
  ])('changes no byte of any answer to a client with %s', async (_who, cookieOf) => {
    const visits = ways.map((way) => ({ way, cookie: cookieOf(), value: 'same' }));
    const expected = await Promise.all(visits.map((visit) => responseOf(withoutSessions, visit)));
    const actual = await Promise.all(visits.map((visit) => responseOf(slow, visit)));
    expect(actual).toEqual(expected);
    expect(expected.map(({ head }) => head[0])).toEqual(
      ways.map(({ status }) => `HTTP/1.1 ${status} ${STATUS_CODES[status]}`),
    );
  });

  it.each(['/long-pipe', '/long-file'])('lets %s wait for a slow reader', async (path) => {
    const client = await openRawClient(slow.port);
    const way = { title: path, method: 'GET', path, status: 200 };
    client.send(requestOf({ way, cookie: cookies[0], value: '' }));
    await client.firstBytes;
    client.socket.pause();
    let before = 0;
    await eventually(() => {
      const isStalled = flow.chunksMade === before;
      before = flow.chunksMade;
      return Promise.resolve(isStalled);
    });
    expect(flow.chunksMade).toBeLessThan(CHUNK_COUNT);
    client.socket.resume();
    expect((await client.response).length).toBeGreaterThan(CHUNK_COUNT * CHUNK_LENGTH);
    expect(flow.maxWaitingBytes).toBeGreaterThanOrEqual(CHUNK_LENGTH);
    const mostBytes = flow.highWaterMark + CHUNK_LENGTH + MAX_FRAMING_LENGTH;
    expect(flow.maxWaitingBytes).toBeLessThanOrEqual(mostBytes);
  });

  it('is on another replica at the last byte when it was changed after the first one', async () => {
    const [cookie = ''] = cookies;
    const value = randomUUID();
    const client = await openRawClient(slow.port);
    const way = { title: 'a late change', method: 'GET', path: '/late-change', status: 200 };
    client.send(requestOf({ way, cookie, value }));
    await client.firstBytes;
    expect(await valueOnOtherReplica(cookie)).not.toBe(value);
    signals.emit('go-on');
    await client.response;
    expect(await valueOnOtherReplica(cookie)).toBe(value);
  });
});
