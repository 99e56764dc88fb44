import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Authenticated } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { NAVIGATION } from '../../support/http/visitor.js';

/** Where the site is for a browser; the tricks are to lead to any other place. */
const SITE = 'https://site.example';

/** What stands before a host so that a browser, a proxy or a framework may take what follows for one. */
const BEFORE = [
  ...[
    '//',
    '///',
    '////',
    '/\\',
    '/\\/',
    '\\\\',
    '\\/',
    '/.//',
    '/..//',
    '/./\\',
    '/%2e%2e//',
    '/a/..//',
  ],
  ...[
    '/%2f',
    '/%2F%2F',
    '/%5c',
    '/%5C%5C',
    '/%5c/',
    '/%2f%5c',
    '/%252f',
    '/%255c',
    '/%25252f',
    '/%%32%66',
  ],
  ...[
    '/%09/',
    '/%0a/',
    '/%0d%0a/',
    '/%00/',
    '/%20//',
    '/%c0%af',
    '/%e2%81%84',
    '/%ef%bc%8f',
    '/;//',
    '/;@',
  ],
  ...[
    'http://',
    'https://',
    'HTTPS://',
    'https:',
    'https:/',
    'https:\\\\',
    'http:%2f%2f',
    'ftp://',
    '//user@',
  ],
];

const HOSTS = [
  'evil.example',
  'evil.example/',
  'evil.example/%2f..',
  'evil.example:443/members',
  '@evil.example',
  'site.example@evil.example',
  'evil.example?site.example',
  'site.example.evil.example',
];

const SCRIPTS = [
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  '/javascript:alert(1)',
  '%6aavascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'file:///etc/passwd',
  '/members%0d%0aLocation:%20https://evil.example',
  '/members%0d%0aSet-Cookie:%20SESSION=planted',
];

const TRICKS = [...BEFORE.flatMap((before) => HOSTS.map((host) => before + host)), ...SCRIPTS];

/** Parameters that applications and libraries take a way back from. */
const PARAMETERS = ['continue', 'next', 'redirect', 'redirect_uri', 'returnTo', 'url'];

@Controller()
class EveryPageController {
  @Get('*')
  @Authenticated()
  page(): string {
    return 'page';
  }
}

describe.each(PLATFORMS)('A login that is to lead to another site, on %s', (platform) => {
  let app: StartedApp;

  beforeAll(async () => {
    app = await startApp(platform, {
      controllers: [...LOGIN_PARTS.controllers, EveryPageController],
      providers: LOGIN_PARTS.providers,
      options: { store: 'memory', security: { loginPage: '/login' } },
    });
  });

  afterAll(() => app.close());

  /** Sends `path` as it is; clients of a higher level would tidy it up. */
  async function send(method: 'GET' | 'POST', path: string, cookie = '', form = '') {
    const outgoing = request({
      ...{ agent: false, host: '127.0.0.1', port: app.port, method, path },
      headers: { ...NAVIGATION, cookie, 'content-type': 'application/x-www-form-urlencoded' },
    });
    outgoing.end(form);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    incoming.resume();
    const { headers } = incoming;
    const set = headers['set-cookie']?.find((line) => line.startsWith('SESSION='));
    return { location: headers.location, headers, cookie: set?.split(';', 1)[0] ?? cookie };
  }

  const FORM = new URLSearchParams(KIM).toString();

  /** Where a browser goes from a page of the site; undefined when it stays. */
  const siteOf = (location: string | undefined) =>
    location === undefined ? SITE : new URL(location, `${SITE}/login`).origin;

  it('has more than 300 tricks to try', () => {
    expect(new Set(TRICKS).size).toBeGreaterThan(300);
  });

  it('leads to this one when the page that was asked for is a trick', async () => {
    const misled: string[] = [];
    let loginCount = 0;
    for (const trick of TRICKS) {
      const asked = await send('GET', trick);
      if (siteOf(asked.location) !== SITE) misled.push(`asked: ${trick}`);
      if (asked.location === undefined) continue;
      loginCount += 1;
      const login = await send('POST', asked.location, asked.cookie, FORM);
      if (siteOf(login.location) !== SITE) misled.push(`${trick} led to ${login.location}`);
    }
    expect(misled).toEqual([]);
    expect(loginCount).toBeGreaterThan(100);
  });

  it('leads to this one when a parameter of the login is a trick', async () => {
    const misled: string[] = [];
    for (const [index, trick] of TRICKS.entries()) {
      const name = PARAMETERS[index % PARAMETERS.length] ?? 'continue';
      const field = `${name}=${encodeURIComponent(trick)}`;
      const login = await send('POST', `/login?${field}`, '', `${FORM}&${field}`);
      if (login.location === undefined || siteOf(login.location) !== SITE) {
        misled.push(`${field} led to ${login.location}`);
      }
    }
    expect(misled).toEqual([]);
  });

  it('leads to this one when the parameter of its own page is a trick, and adds no header', async () => {
    const misled: string[] = [];
    for (const trick of TRICKS) {
      const field = `continue=${encodeURIComponent(trick)}`;
      const { cookie } = await send('GET', '/members');
      const login = await send('POST', `/login?${field}`, cookie, `${FORM}&${field}`);
      if (login.location === undefined || siteOf(login.location) !== SITE) misled.push(trick);
      if (login.headers['set-cookie']?.some((line) => line.includes('planted'))) misled.push(trick);
    }
    expect(misled).toEqual([]);
  });

  it('leads to the login page when it fails with a trick in its parameter, and adds no header', async () => {
    const misled: string[] = [];
    const wrong = new URLSearchParams({ ...KIM, password: 'wrong' }).toString();
    for (const trick of TRICKS) {
      const field = `continue=${encodeURIComponent(trick)}`;
      const login = await send('POST', `/login?${field}`, '', `${wrong}&${field}`);
      const { origin, pathname } = new URL(login.location ?? '/nowhere', SITE);
      if (origin !== SITE || pathname !== '/login')
        misled.push(`${trick} led to ${login.location}`);
      if (login.headers['set-cookie'] !== undefined) misled.push(trick);
    }
    expect(misled).toEqual([]);
  });
});
