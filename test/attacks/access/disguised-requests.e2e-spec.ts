import { Controller, Get } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { type RequestLine, send } from '../../support/http/http-client.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const PATHS = [
  ...[
    '/admin',
    '/ADMIN',
    '/Admin/',
    '/admin/',
    '//admin',
    '/./admin',
    '/about/../admin',
    '/admin/.',
  ],
  ...['/%61dmin', '/%2561dmin', '/admin%2f', '/admin%00', '/admin%20', '/admin%09', '/admin%0d%0a'],
  ...[
    '/admin?',
    '/admin?_method=GET',
    '/admin?page=about',
    '/admin;a=1',
    '/admin..;/',
    '/about;/../admin',
  ],
  ...[
    '/about/..%2fadmin',
    '/about/%2e%2e/admin',
    '/about%2f..%2fadmin',
    '/admin.json',
    '/admin\\',
    '/\\admin',
  ],
  ...['/public/../admin', '/public/..%2fadmin', '/public%2f..%2fadmin', '/public/%2e%2e/admin'],
  ...[
    '/admin?/public',
    '/admin;/public/',
    '/admin%3f/public/a',
    '/%70ublic/../admin',
    '/public//admin',
  ],
  ...[
    '/%EF%BD%81dmin',
    '/adm%C4%B1n',
    '/adm%C4%B0n',
    '/%E2%93%90dmin',
    '/admin%E2%80%AE',
    '/%u0061dmin',
  ],
  ...[
    'http://127.0.0.1/admin',
    'http://evil.example/admin',
    'https://evil.example:1/admin?/public/',
  ],
];

const HEADERS: Record<string, string>[] = [
  { 'x-original-url': '/admin', 'x-rewrite-url': '/admin' },
  { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-user': 'admin', 'x-real-ip': '127.0.0.1' },
  { 'x-http-method-override': 'GET', 'x-method-override': 'GET' },
  { 'x-http-method': 'HEAD', 'x-forwarded-prefix': '/public', 'x-forwarded-path': '/public/a' },
  { 'x-forwarded-host': 'localhost', host: 'localhost', 'x-matched-path': '/public/a' },
  { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` },
  { 'x-session-id': 'admin', 'x-auth-token': 'admin' },
];

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PROPFIND', 'PUT', 'TRACE'];

const LINES = PATHS.map((path) => `GET ${path}` as RequestLine);
const ATTACKS: [line: RequestLine, headers: Record<string, string>][] = [
  ...LINES.map((line): (typeof ATTACKS)[number] => [line, {}]),
  ...METHODS.map((method): (typeof ATTACKS)[number] => [`${method} /admin` as RequestLine, {}]),
  ...HEADERS.flatMap((headers): typeof ATTACKS => [
    ['GET /admin', headers],
    ['GET /about', headers],
    ['POST /admin', headers],
  ]),
];

@Controller('public')
class PublicController {
  @Get(':page')
  page(): object {
    return { page: 'public' };
  }
}

const SETUPS = PLATFORMS.flatMap((platform) => [
  { platform, name: 'with sessions on every route', exclude: [] },
  { platform, name: 'with public routes excluded', exclude: ['about', 'public', 'public/{*path}'] },
]);

describe.each(SETUPS)('A request in disguise, on $platform $name', (setup) => {
  const start = useApps(setup.platform, useTestRedis(), {
    ...LOGIN_PARTS,
    controllers: [...LOGIN_PARTS.controllers, PublicController],
  });

  /** @returns the lines of the attacks that show the page for administrators to `user`, or to nobody in particular */
  const openedBy = async (user: object | undefined) => {
    const { url } = await start({ exclude: setup.exclude });
    const body = JSON.stringify(user ?? {});
    const login = await send(url, 'POST /login', { 'content-type': 'application/json' }, { body });
    const opened = ATTACKS.map(async ([line, headers]) => {
      const { text } = await send(url, line, { ...headers, cookie: login.cookie });
      return text.includes('"page":"admin"') ? [line] : [];
    });
    return (await Promise.all(opened)).flat();
  };

  it('opens a page for administrators to nobody else', async () => {
    expect(await openedBy(undefined)).toEqual([]);
    expect(await openedBy(KIM)).toEqual([]);
  });

  it('opens it to administrators: several of the disguises lead to the page', async () => {
    expect(new Set(await openedBy(ADMIN)).size).toBeGreaterThan(3);
  });
});
