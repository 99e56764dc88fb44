import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { type Browser, type Page } from 'playwright-core';
import { Visitor } from '../../../tools/demo/visitor.mjs';
import { type Nginx, startNginx } from '../../../tools/servers/nginx.mjs';
import { type Pod, startPod } from '../../../tools/servers/pod.mjs';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { startBrowser } from '../../support/http/browser.js';
import { startRedis } from '../../support/redis/redis-server.js';

const KIM = { username: 'kim', password: 'kim' };

/** One replica on each platform: whatever is stored by one must be understood by the other. */
describe('a login across replicas behind nginx', () => {
  let redis: RedisServer;
  let pods: [Pod, Pod];
  let nginx: Nginx;
  let browser: Browser;

  const start = async (name: string, platform: 'express' | 'fastify') =>
    startPod({ name, port: await getPort(), platform, redisUrl: redis.url });
  /** nginx alternates strictly. */
  const waitForTurnOfPodA = async () => {
    const anybody = new Visitor(nginx.url);
    for (let tries = 0; tries < 2; tries++) {
      if ((await anybody.open('/style.css')).pod === 'pod-b') return;
    }
    throw new Error('nginx does not alternate.');
  };
  const fillIn = async (page: Page) => {
    await page.getByLabel('Name').fill('kim');
    await page.getByLabel('Password').fill('kim');
    await page.getByRole('main').getByRole('button', { name: 'Log in' }).click();
  };

  beforeAll(async () => {
    redis = await startRedis();
    pods = [await start('pod-a', 'express'), await start('pod-b', 'fastify')];
    nginx = await startNginx({ upstreamPorts: [pods[0].port, pods[1].port] });
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await nginx.stop();
    await Promise.all(pods.map((pod) => pod.stop()));
    await redis.stop();
  });

  it('is asked for by pod A, taken by pod B, and leads to the page on pod A', async () => {
    const kim = new Visitor(nginx.url);
    await waitForTurnOfPodA();
    const away = await kim.open('/members?tab=2');
    expect(away).toMatchObject({ status: 302, pod: 'pod-a' });
    expect(away.location).toMatch(/^\/login\?continue=[\w-]{8}$/);
    const login = await kim.submit(away.location ?? '', KIM);
    expect(login).toMatchObject({ status: 303, pod: 'pod-b', location: '/members?tab=2' });
    const page = await kim.open(login.location ?? '');
    expect(page).toMatchObject({ status: 200, pod: 'pod-a' });
    expect(page.text).toContain('Hello <strong>kim</strong>');
  });

  it('works by clicking, and the back button shows nothing private after the logout', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${nginx.url}/members?tab=2`);
    expect(new URL(page.url()).pathname).toBe('/login');
    await page.getByLabel('Password').fill('wrong');
    await page.getByLabel('Name').fill('kim');
    await page.getByRole('main').getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    await fillIn(page);
    await page.getByText('Hello kim').waitFor();
    expect(page.url()).toBe(`${nginx.url}/members?tab=2`);

    const pods = new Set<string | undefined>();
    for (let hop = 0; hop < 4; hop++) {
      const response = await page.goto(nginx.url);
      pods.add((await response?.allHeaders())?.['x-pod']);
      await page.getByText('You are kim').waitFor();
    }
    expect([...pods].sort()).toEqual(['pod-a', 'pod-b']);

    await page.goto(`${nginx.url}/members?tab=2`);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('You are logged out').waitFor();
    await page.goBack();
    await page.getByLabel('Password').waitFor();
    expect(new URL(page.url()).pathname).toBe('/login');
    expect(await page.content()).not.toMatch(/Hello|kim<\/strong>/);
    await page.context().close();
  });

  it('shows kim a page of the site where only admin may go', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${nginx.url}/admin`);
    await fillIn(page);
    await page.getByRole('heading', { name: 'Not for you' }).waitFor();
    expect(await page.getByRole('main').textContent()).toContain('You are kim');
    expect((await page.reload())?.status()).toBe(403);
    await page.context().close();
  });

  it('keeps a remembered user when the browser is closed, and nobody else', async () => {
    const first = await browser.newContext();
    const page = await first.newPage();
    await page.goto(`${nginx.url}/login`);
    await page.getByLabel('Remember me').check();
    await fillIn(page);
    await page.getByText('You are kim').waitFor();
    const [cookie] = await first.cookies();
    expect(cookie?.expires).toBeGreaterThan(Date.now() / 1000 + 29 * 24 * 60 * 60);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('You are logged out').waitFor();
    await fillIn(page);
    await page.getByText('You are kim').waitFor();
    expect((await first.cookies())[0]?.expires).toBe(-1);
    await first.close();
  });
});
