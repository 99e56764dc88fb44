import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { Visitor } from '../support/http/visitor.js';
import { useExample } from './start-example.js';

const KIM = { username: 'kim', password: 'kim' };

describe('examples/graphql-websocket', () => {
  const running = useExample('graphql-websocket');

  async function open(visitor: Visitor, url: string): Promise<WebSocket> {
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
    const kim = new Visitor(running.example.url);
    await kim.post('/login', KIM);
    const query = 'mutation { addNote(text: "tea") }';
    expect((await kim.post('/graphql', { query })).body).toEqual({ data: { addNote: ['tea'] } });
    kim.url = running.replica.url;
    const read = await kim.post('/graphql', { query: '{ me notes }' });
    expect(read.body).toEqual({ data: { me: 'kim', notes: ['tea'] } });
    const socket = await open(kim, running.replica.url);
    expect(await say(socket, 'hello')).toEqual({ event: 'said', data: 'kim: hello' });
    socket.close();
  });

  it('refuses a visitor in GraphQL and on a socket', async () => {
    const visitor = new Visitor(running.example.url);
    const refused = await visitor.post('/graphql', { query: '{ me }' });
    expect(refused.body).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    const socket = await open(visitor, running.example.url);
    expect(await say(socket, 'hello')).toMatchObject({
      event: 'exception',
      data: { code: 'UNAUTHENTICATED' },
    });
    socket.close();
  });

  it('closes the socket when another replica logs the user out', async () => {
    const kim = new Visitor(running.example.url);
    await kim.post('/login', KIM);
    const socket = await open(kim, running.replica.url);
    expect(await say(socket, 'hello')).toEqual({ event: 'said', data: 'kim: hello' });
    const closed = once(socket, 'close');
    expect((await kim.post('/logout')).status).toBe(204);
    await closed;
  });

  it('shows a page where notes and messages work after the login, and end with the logout', async () => {
    const page = await running.browser.newPage();
    await page.goto(running.example.url);
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
