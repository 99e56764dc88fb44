import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { type Browser, type BrowserContext, type Page } from 'playwright-core';
import { type Nginx, startNginx } from '../../../tools/servers/nginx.mjs';
import { type Pod, startPod } from '../../../tools/servers/pod.mjs';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { startBrowser } from '../../support/http/browser.js';
import { startRedis } from '../../support/redis/redis-server.js';

const ELSEWHERE = 'This session was ended on the page of your sessions';
const CONTEXT_FIELD = 'sessionAttr:SECURITY_CONTEXT';

/** One replica on each platform: whatever is stored by one must be understood by the other. */
describe('the page of my sessions', () => {
  let redis: RedisServer;
  let pods: [Pod, Pod];
  let nginx: Nginx;
  let browser: Browser;
  let contexts: BrowserContext[] = [];

  const openBrowser = async (userAgent: string): Promise<Page> => {
    const context = await browser.newContext({ userAgent });
    contexts.push(context);
    return context.newPage();
  };
  const fillIn = async (page: Page) => {
    await page.getByLabel('Name').fill('kim');
    await page.getByLabel('Password').fill('kim');
    await page.getByRole('main').getByRole('button', { name: 'Log in' }).click();
  };
  const logIn = async (userAgent: string): Promise<Page> => {
    const page = await openBrowser(userAgent);
    await page.goto(`${nginx.url}/members`);
    await fillIn(page);
    await page.getByText('Hello kim').waitFor();
    return page;
  };
  const clickSessions = (page: Page) => page.getByRole('link', { name: 'Sessions' }).click();
  const clickMembers = (page: Page) => page.getByRole('link', { name: 'Members' }).click();
  const cardOf = (page: Page, userAgent: string) =>
    page.getByRole('listitem').filter({ hasText: userAgent });

  beforeAll(async () => {
    redis = await startRedis();
    const start = async (name: string, platform: 'express' | 'fastify') =>
      startPod({ name, port: await getPort(), platform, redisUrl: redis.url });
    pods = [await start('pod-a', 'express'), await start('pod-b', 'fastify')];
    nginx = await startNginx({ upstreamPorts: [pods[0].port, pods[1].port] });
    browser = await startBrowser();
  });

  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
    const client = new Redis(redis.url);
    await client.flushall();
    await client.quit();
  });

  afterAll(async () => {
    await browser.close();
    await nginx.stop();
    await Promise.all(pods.map((pod) => pod.stop()));
    await redis.stop();
  });

  it('signs the other browser out at its next click, and tells it why once', async () => {
    const [laptop, phone] = [await logIn('laptop'), await logIn('phone')];
    await clickSessions(laptop);
    await laptop.getByText('in 2 places').waitFor();
    expect(await cardOf(laptop, 'laptop').textContent()).toContain('This browser');
    expect(await cardOf(laptop, 'phone').textContent()).toMatch(/Another browser.*127\.0\.0\.1/s);
    await laptop.getByRole('button', { name: 'Sign out elsewhere' }).click();
    await laptop.getByText('here only').waitFor();

    await clickMembers(phone);
    await phone.getByText(ELSEWHERE).waitFor();
    expect(new URL(phone.url()).pathname).toBe('/login');
    await clickMembers(phone);
    await phone.getByLabel('Password').waitFor();
    expect(await phone.getByText(ELSEWHERE).count()).toBe(0);
    await fillIn(phone);
    await phone.getByText('Hello kim').waitFor();
    expect(new URL(phone.url()).pathname).toBe('/members');

    await clickMembers(laptop);
    await laptop.getByText('Hello kim').waitFor();
  });

  it('ends the one session whose button is pressed, and no other', async () => {
    const [laptop, phone, tv] = [await logIn('laptop'), await logIn('phone'), await logIn('tv')];
    await clickSessions(laptop);
    await cardOf(laptop, 'phone').getByRole('button').click();
    await laptop.getByText('in 2 places').waitFor();
    await clickMembers(phone);
    await phone.getByText(ELSEWHERE).waitFor();
    await clickMembers(tv);
    await tv.getByText('Hello kim').waitFor();
  });

  it('signs out everywhere, this browser included', async () => {
    const [laptop, phone] = [await logIn('laptop'), await logIn('phone')];
    await clickSessions(laptop);
    await laptop.getByRole('button', { name: 'Sign out everywhere' }).click();
    await laptop.getByLabel('Password').waitFor();
    await clickMembers(phone);
    await phone.getByText(ELSEWHERE).waitFor();
    expect(await phone.getByRole('button', { name: 'Log out' }).count()).toBe(0);
  });

  it('does not show the id of a session', async () => {
    const laptop = await logIn('laptop');
    await clickSessions(laptop);
    await laptop.getByText('here only').waitFor();
    const [cookie] = await laptop.context().cookies();
    expect(await laptop.content()).not.toContain(cookie?.value);
  });

  it('has a remembered user log in again for the account page, and come back to it', async () => {
    const laptop = await openBrowser('laptop');
    await laptop.goto(`${nginx.url}/login`);
    await laptop.getByLabel('Remember me').check();
    await fillIn(laptop);
    await laptop.getByText('You are kim').waitFor();
    await ageLogins(redis.url);
    await clickMembers(laptop);
    await laptop.getByText('Hello kim').waitFor();
    await laptop.getByRole('link', { name: 'Account' }).click();
    await laptop.getByText('asks for a fresh login').waitFor();
    await fillIn(laptop);
    await laptop.getByText('once more before this page opens').waitFor();
    expect(new URL(laptop.url()).pathname).toBe('/account');
  });
});

/** As if every login had been an hour ago. */
async function ageLogins(redisUrl: string): Promise<void> {
  const client = new Redis(redisUrl);
  for (const key of await client.keys('*:sessions:*')) {
    const text = (await client.type(key)) === 'hash' && (await client.hget(key, CONTEXT_FIELD));
    if (!text) continue;
    const aged = text.replace(/"authenticatedAt":(\d+)/, (_, ms) => {
      return `"authenticatedAt":${Number(ms) - 3_600_000}`;
    });
    await client.hset(key, CONTEXT_FIELD, aged);
  }
  await client.quit();
}
