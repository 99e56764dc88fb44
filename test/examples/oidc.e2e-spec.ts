import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { type Browser, type BrowserContext, type Page } from 'playwright-core';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { startBrowser } from '../support/http/browser.js';
import { startRedis } from '../support/redis/redis-server.js';
import { buildExample, type Example, startExample } from './start-example.js';

describe('examples/oidc', () => {
  let redis: RedisServer;
  let provider: Example;
  let shop: Example;
  let replica: Example;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let shopUrl: string;
  let replicaUrl: string;

  beforeAll(async () => {
    redis = await startRedis();
    await buildExample('oidc');
    const [providerPort, port, replicaPort] = [await getPort(), await getPort(), await getPort()];
    shopUrl = `http://localhost:${port}`;
    replicaUrl = `http://localhost:${replicaPort}`;
    const env = {
      APP_URL: shopUrl,
      ISSUER: `http://localhost:${providerPort}`,
      REDIS_URL: redis.url,
    };
    provider = await startExample('oidc', { program: 'provider.mjs', env, port: providerPort });
    shop = await startExample('oidc', { env, port });
    replica = await startExample('oidc', { env, port: replicaPort });
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await Promise.all([shop.stop(), replica.stop(), provider.stop()]);
    await redis.stop();
  });

  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
  });

  afterEach(() => context.close());

  async function logInAtProvider(): Promise<void> {
    await page.fill('[name=login]', 'kim');
    await page.fill('[name=password]', 'any');
    await page.click('button[type=submit]');
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  it('sends a browser to the provider and back to the page that it asked for', async () => {
    await page.goto(`${shopUrl}/orders?page=2`);
    await logInAtProvider();
    await page.getByText('Orders of kim').waitFor();
    expect(page.url()).toBe(`${shopUrl}/orders?page=2`);
    const me = await page.request.get(`${replicaUrl}/api/me`);
    expect(await me.json()).toEqual({ sub: 'kim', name: 'kim', authorities: ['USER'] });
  });

  it('ends a login on one replica that began on another', async () => {
    await page.goto(`${replicaUrl}/orders`);
    await logInAtProvider();
    await page.getByText('Orders of kim').waitFor();
    expect(page.url()).toBe(`${shopUrl}/orders`);
  });

  it('logs out here and at the provider', async () => {
    await page.goto(`${shopUrl}/orders`);
    await logInAtProvider();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: /yes/i }).click();
    await page.waitForURL(`${shopUrl}/`);
    await page.getByText('My orders').click();
    await page.locator('[name=password]').waitFor();
  });

  it('refuses a callback that no login of this browser asked for', async () => {
    const response = await page.request.get(`${shopUrl}/login/callback?code=stolen&state=forged`, {
      headers: { accept: 'application/json' },
    });
    expect(response.status()).toBe(401);
    expect((await page.request.get(`${shopUrl}/api/me`)).status()).toBe(401);
  });
});
