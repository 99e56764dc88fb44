import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Browser } from 'playwright-core';
import { WebSocket } from 'ws';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { startBrowser } from '../support/http/browser.js';
import { startRedis } from '../support/redis/redis-server.js';
import { TestVisitor } from '../support/http/test-visitor.js';
import { buildExample, type Example, startExample } from './start-example.js';

const KIM = { username: 'kim', password: 'kim' };

describe('examples/graphql-websocket', () => {
  let redis: RedisServer;
  let example: Example;
  let replica: Example;
  let browser: Browser;

  beforeAll(async () => {
    redis = await startRedis();
    await buildExample('graphql-websocket');
    const env = { REDIS_URL: redis.url };
    example = await startExample('graphql-websocket', { env });
    replica = await startExample('graphql-websocket', { env });
    browser = await startBrowser();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await Promise.all([example.stop(), replica.stop()]);
    await redis.stop();
  });

  async function open(visitor: TestVisitor, url: string): Promise<WebSocket> {
    const cookie = await visitor.cookie();
    const headers = cookie ? { cookie: `SESSION=${cookie}` } : {};
    const socket = new WebSocket(url.replace('http', 'ws'), { headers });
    await once(socket, 'open');
    return socket;
  }

  async function say(socket: WebSocket, text: string): Promise<unknown> {
    const answer = once(socket, 'message');
    socket.send(JSON.stringify({ event: 'say', data: text }));
    const [data] = (await answer) as [Buffer];
    return JSON.parse(data.toString());
  }

  it('knows the user of the login in GraphQL and on a socket, on another replica', async () => {
    const kim = new TestVisitor(example.url);
    await kim.post('/login', KIM);
    const query = 'mutation { addNote(text: "tea") }';
    expect((await kim.post('/graphql', { query })).body).toEqual({ data: { addNote: ['tea'] } });
    kim.url = replica.url;
    const read = await kim.post('/graphql', { query: '{ me notes }' });
    expect(read.body).toEqual({ data: { me: 'kim', notes: ['tea'] } });
    const socket = await open(kim, replica.url);
    expect(await say(socket, 'hello')).toEqual({ event: 'said', data: 'kim: hello' });
    socket.close();
  });

  it('refuses a visitor in GraphQL and on a socket', async () => {
    const visitor = new TestVisitor(example.url);
    const refused = await visitor.post('/graphql', { query: '{ me }' });
    expect(refused.body).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    const socket = await open(visitor, example.url);
    expect(await say(socket, 'hello')).toMatchObject({
      event: 'exception',
      data: { code: 'UNAUTHENTICATED' },
    });
    socket.close();
  });

  it('closes the socket when another replica logs the user out', async () => {
    const kim = new TestVisitor(example.url);
    await kim.post('/login', KIM);
    const socket = await open(kim, replica.url);
    expect(await say(socket, 'hello')).toEqual({ event: 'said', data: 'kim: hello' });
    const closed = once(socket, 'close');
    expect((await kim.post('/logout')).status).toBe(204);
    await closed;
  });

  it('shows a page where notes and messages work after the login, and end with the logout', async () => {
    const page = await browser.newPage();
    await page.goto(example.url);
    await page.getByText('You are not logged in.').waitFor();
    await page.fill('#chat input', 'hello');
    await page.click('#chat button');
    await page.getByText('(UNAUTHENTICATED)').waitFor();
    await page.click('#login');
    await page.getByText('You are kim.').waitFor();
    await page.fill('#note input', 'tea');
    await page.click('#note button');
    await page.locator('#notes').getByText('tea').waitFor();
    await page.click('#chat button');
    await page.getByText('kim: hello').waitFor();
    await page.click('#logout');
    await page.getByText('You are not logged in.').waitFor();
    await page.getByText('(session-ended)').waitFor();
    await page.close();
  });
});
