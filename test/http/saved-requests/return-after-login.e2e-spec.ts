import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Authenticated, type SecurityOptions } from 'nestjs-redis-session';
import { CookieRequestCache } from 'nestjs-redis-session/http';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { openRawClient } from '../../support/http/raw-client.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { setCookieLinesOf, Visitor } from '../../support/http/visitor.js';

const SECRET = 'a secret of at least 32 characters';

/** Every page of it needs a login. */
@Controller()
class EveryPageController {
  @Get('*')
  @Authenticated()
  page(): string {
    return 'a page';
  }
}

/** HTTP clients would tidy the target up. */
async function sendAsItIs(port: number, target: string): Promise<string> {
  const client = await openRawClient(port);
  const headers = ['Host: 127.0.0.1', 'Accept: text/html', 'Connection: close'];
  client.send(`GET ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
  return (await client.response).toString();
}

const redis = useTestRedis();

describe.each(PLATFORMS)('requestCache on %s', (platform) => {
  let app: StartedApp;

  const start = async (requestCache?: SecurityOptions['requestCache']) => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, EveryPageController],
      options: {
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security: { loginPage: '/login', requestCache },
      },
    });
    return new Visitor(app.url);
  };
  /** Opens a page that needs a login. @returns the login page that the browser is sent to */
  const sentFrom = async (visitor: Visitor, path: string) => {
    const { headers } = await visitor.open(path);
    return headers['location'] as string;
  };

  afterEach(async () => {
    await app.close();
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  it('defaults to the session: the request is in Redis before the redirect leaves', async () => {
    const visitor = await start();
    const loginPage = await sentFrom(visitor, '/members?tab=2&tab=%C3%BC');
    const stored = await redis.contentOf(redis.keys.session((await visitor.cookie()) ?? ''));
    expect(JSON.parse(stored.fields['sessionAttr:SAVED_REQUESTS'] ?? '')).toEqual([
      { key: expect.any(String), method: 'GET', url: '/members?tab=2&tab=%C3%BC' },
    ]);
    const login = await visitor.submit(loginPage, KIM);
    expect(login.headers['location']).toBe('/members?tab=2&tab=%C3%BC');
  });

  it('leads each of several tabs back to its own page, and forgets the oldest of four', async () => {
    const visitor = await start();
    const tabs = [];
    for (const tab of [1, 2, 3, 4]) tabs.push(await sentFrom(visitor, `/members?tab=${tab}`));
    const [first = '', second = '', , fourth = ''] = tabs;
    const lands = async (page: string) => (await visitor.submit(page, KIM)).headers['location'];
    expect(await lands(second)).toBe('/members?tab=2');
    expect(await lands(fourth)).toBe('/members?tab=4');
    expect(await lands(first)).toBe('/');
    expect(await lands('/login')).toBe('/members?tab=3');
    expect(await lands('/login')).toBe('/');
  });

  it('keeps the way back when the password was wrong at first', async () => {
    const visitor = await start();
    const loginPage = await sentFrom(visitor, '/members?tab=2');
    const failed = await visitor.submit(loginPage, { ...KIM, password: 'wrong' });
    expect(failed.headers['location']).toMatch(/^\/login\?reason=bad-credentials&continue=[\w-]+$/);
    const login = await visitor.submit(failed.headers['location'] ?? '', KIM);
    expect(login.headers['location']).toBe('/members?tab=2');
  });

  it.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/%2f/evil.example',
    '/%5cevil.example',
    '/.//evil.example',
    '/members/..//evil.example',
    '/%09/evil.example',
    '/members#@evil.example',
    'https://evil.example/members',
    'http:/evil.example',
  ])('never leads to another site: %s', async (target) => {
    await start();
    const refused = await sendAsItIs(app.port, target);
    expect(refused).not.toMatch(/continue=|set-cookie/i);
    expect(await redis.allKeys()).toEqual([]);
    expect(await sendAsItIs(app.port, '/any/page')).toMatch(/location: \/login\?continue=/i);
  });

  it('never leads where a parameter of the login says', async () => {
    const visitor = await start();
    const evil = encodeURIComponent('//evil.example');
    for (const name of ['continue', 'next', 'redirect', 'returnTo', 'url']) {
      const login = await visitor.submit(`/login?${name}=${evil}`, {
        ...KIM,
        [name]: '//evil.example',
      });
      expect([login.status, login.headers['location']]).toEqual([303, '/']);
    }
  });

  it('never leads where somebody with access to Redis says', async () => {
    const visitor = await start();
    const loginPage = await sentFrom(visitor, '/members');
    const key = redis.keys.session((await visitor.cookie()) ?? '');
    const evil = JSON.stringify([{ key: 'a', method: 'GET', url: 'https://evil.example/' }]);
    await redis.client.hset(key, 'sessionAttr:SAVED_REQUESTS', evil);
    expect((await visitor.submit(loginPage, KIM)).headers['location']).toBe('/');
  });

  it("keeps nothing with 'none'", async () => {
    const visitor = await start('none');
    const refused = await visitor.open('/members?tab=2');
    expect(refused.headers['location']).toBe('/login');
    expect(setCookieLinesOf(refused)).toEqual([]);
    expect(await redis.allKeys()).toEqual([]);
    expect((await visitor.submit('/login', KIM)).headers['location']).toBe('/');
  });

  describe('CookieRequestCache', () => {
    it('stores nothing for anonymous visitors, leads back, and clears its cookie', async () => {
      const visitor = await start(new CookieRequestCache({ secrets: [SECRET] }));
      const loginPage = await sentFrom(visitor, '/members?tab=2');
      expect(await redis.allKeys()).toEqual([]);
      expect(await visitor.cookie()).toBeUndefined();
      expect(await visitor.cookie('SAVED_REQUESTS')).toBeDefined();
      const login = await visitor.submit(loginPage, KIM);
      expect(login.headers['location']).toBe('/members?tab=2');
      expect(await visitor.cookie('SAVED_REQUESTS')).toBeUndefined();
      expect((await visitor.get('/members')).status).toBe(200);
    });

    it('leads nowhere that was not signed', async () => {
      const visitor = await start(new CookieRequestCache({ secrets: [SECRET] }));
      const forger = await startApp(platform, {
        ...LOGIN_PARTS,
        options: {
          store: 'memory',
          security: {
            loginPage: '/login',
            requestCache: new CookieRequestCache({ secrets: [`${SECRET} of somebody else`] }),
          },
        },
      });
      visitor.url = forger.url;
      const loginPage = await sentFrom(visitor, '/members?tab=2');
      await forger.close();
      visitor.url = app.url;
      expect((await visitor.submit(loginPage, KIM)).headers['location']).toBe('/');
    });
  });
});
