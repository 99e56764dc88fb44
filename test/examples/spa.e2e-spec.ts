import { describe, expect, it } from '@jest/globals';
import { Visitor } from '../support/http/visitor.js';
import { useExample } from './start-example.js';

const KIM = { username: 'kim', password: 'kim' };

describe('examples/spa', () => {
  const running = useExample('spa');

  async function tokenOf(visitor: Visitor): Promise<{ 'x-csrf-token': string }> {
    const { token } = (await visitor.get('/api/csrf')).body as { token: string };
    return { 'x-csrf-token': token };
  }

  it('shows the login form, the notes after the login, and the form again after the logout', async () => {
    const page = await running.browser.newPage();
    await page.goto(running.example.url);
    await page.fill('[name=username]', 'kim');
    await page.fill('[name=password]', 'wrong');
    await page.click('#login button');
    await page.getByText('Wrong name or password.').waitFor();
    await page.fill('[name=password]', 'kim');
    await page.click('#login button');
    await page.getByText('Notes of kim').waitFor();
    await page.fill('[name=text]', '<b>tea</b>');
    await page.click('#note button');
    await page.getByText('<b>tea</b>').waitFor();
    await page.reload();
    await page.getByText('<b>tea</b>').waitFor();
    await page.click('#logout');
    await page.getByText('You are logged out.').waitFor();
    await page.reload();
    await page.locator('#login').waitFor();
    await page.close();
  });

  it('shows the login form when the session has gone', async () => {
    const context = await running.browser.newContext();
    const page = await context.newPage();
    await page.goto(running.example.url);
    await page.fill('[name=username]', 'kim');
    await page.fill('[name=password]', 'kim');
    await page.click('#login button');
    await page.getByText('Notes of kim').waitFor();
    await context.clearCookies();
    await page.fill('[name=text]', 'tea');
    await page.click('#note button');
    await page.locator('#login').waitFor();
    await context.close();
  });

  it('refuses each POST that sends no token of its session', async () => {
    const visitor = new Visitor(running.example.url);
    expect((await visitor.post('/api/login', KIM)).status).toBe(403);
    const login = await visitor.post('/api/login', KIM, await tokenOf(visitor));
    expect(login.status).toBe(201);
    expect((await visitor.post('/api/notes', { text: 'tea' })).status).toBe(403);
    expect((await visitor.post('/api/logout')).status).toBe(403);
    const added = await visitor.post('/api/notes', { text: 'tea' }, await tokenOf(visitor));
    expect(added.body).toEqual(['tea']);
  });

  it('knows the login and its notes on another replica', async () => {
    const visitor = new Visitor(running.example.url);
    expect((await visitor.get('/api/me')).status).toBe(401);
    await visitor.post('/api/login', KIM, await tokenOf(visitor));
    await visitor.post('/api/notes', { text: 'tea' }, await tokenOf(visitor));
    visitor.url = running.replica.url;
    expect((await visitor.get('/api/notes')).body).toEqual(['tea']);
    expect((await visitor.post('/api/logout', {}, await tokenOf(visitor))).status).toBe(204);
    visitor.url = running.example.url;
    expect((await visitor.get('/api/me')).status).toBe(401);
  });

  it('keeps the session cookie from scripts', async () => {
    const visitor = new Visitor(running.example.url);
    const { headers } = await visitor.post('/api/login', KIM, await tokenOf(visitor));
    expect(String(headers['set-cookie'])).toMatch(/SESSION=.*HttpOnly/);
  });
});
