import { randomUUID } from 'node:crypto';
import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  Authenticated,
  CsrfToken,
  CurrentSecurityContext,
  CurrentUser,
  LoginGuard,
  type SecurityContext,
} from 'nestjs-redis-session';
import { springSession } from 'nestjs-redis-session/spring';
import { type Platform, PLATFORMS, type StartedApp, useApps } from '../support/apps/start-app.js';
import { SESSION_ROUTES } from '../support/apps/session-controller.js';
import { LocalStrategy } from '../support/apps/local-strategy.js';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { NAVIGATION } from '../support/http/visitor.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const SECURITY = 'org.springframework.security';
const CONTEXT = 'sessionAttr:SPRING_SECURITY_CONTEXT';
const SAVED_REQUEST = 'sessionAttr:SPRING_SECURITY_SAVED_REQUEST';
const CSRF_TOKEN = `sessionAttr:${SECURITY}.web.csrf.HttpSessionCsrfTokenRepository.CSRF_TOKEN`;
const INDEX_NAME =
  'sessionAttr:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME';
const LOGIN = `${SECURITY}.authentication.UsernamePasswordAuthenticationToken`;
const USER = `${SECURITY}.core.userdetails.User`;

@Controller()
class PageController {
  @Get('me')
  me(@CurrentSecurityContext() { authentication }: SecurityContext): object {
    return { name: authentication?.name ?? null, authorities: authentication?.authorities ?? [] };
  }

  @Get('members')
  @Authenticated()
  members(@CurrentUser() user: unknown): unknown {
    return user;
  }

  @Get('user')
  user(@CurrentUser() user: unknown): unknown {
    return user;
  }

  @Get('csrf')
  csrf(@CsrfToken() token: string): string {
    return token;
  }

  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(): string {
    return 'welcome';
  }
}

function contextOf(token: unknown): string {
  const context = `${SECURITY}.core.context.SecurityContextImpl`;
  return JSON.stringify({ '@class': context, authentication: token });
}

function tokenOf(fields: object): string {
  const defaults = { authenticated: true, authorities: [], credentials: null, principal: 'kim' };
  return contextOf({ '@class': LOGIN, ...defaults, ...fields });
}

const SAML = `${SECURITY}.saml2.provider.service.authentication`;
/** As Spring's module for SAML writes the login of a user. */
const SAML_LOGIN = contextOf({
  '@class': `${SAML}.Saml2Authentication`,
  authorities: [
    'java.util.Collections$UnmodifiableRandomAccessList',
    [{ '@class': `${SECURITY}.core.authority.SimpleGrantedAuthority`, authority: 'ROLE_USER' }],
  ],
  details: null,
  principal: {
    '@class': `${SAML}.DefaultSaml2AuthenticatedPrincipal`,
    name: 'kim',
    attributes: {
      '@class': 'java.util.LinkedHashMap',
      mail: ['java.util.ArrayList', ['kim@example.com']],
    },
    registrationId: 'one',
    sessionIndexes: ['java.util.Collections$EmptyList', []],
  },
  saml2Response: '<saml2p:Response/>',
});

const LONG = 'x'.repeat(1_000_000);
const deep = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`;
const WRONG_VALUES: readonly unknown[] = [0, '', null, [], [[]], {}, true, [LOGIN, 1], { a: 'b' }];

/** Texts of a login by which nobody may be known, and whether a person has to be told. */
const POISONS: readonly (readonly [what: string, text: string, isTold: boolean])[] = [
  ['half an object', '{"@class":', true],
  ['a text with a NUL', '"\0"', true],
  ['a number', '5', true],
  ['null', 'null', false],
  ['100,000 lists in each other', deep(100_000), true],
  ['a megabyte of text', JSON.stringify(LONG), true],
  ['no token', contextOf(undefined), true],
  ['a token that is null', contextOf(null), false],
  ['a token that is a text', contextOf('kim'), true],
  ['a list as the context', JSON.stringify([LOGIN, { authenticated: true }]), true],
  ['a token without a class', contextOf({ authenticated: true, principal: 'kim' }), true],
  ['a class that is a megabyte long', contextOf({ '@class': LONG, authenticated: true }), true],
  [
    'a class that writes lines into the log',
    tokenOf({ '@class': 'a.B\n2026-11-29 INFO root logged in\u001b[2J\u2028' }),
    true,
  ],
  [
    'a principal whose class writes lines into the log',
    tokenOf({ principal: { '@class': 'a.B\r\nWARN forged', username: 'kim' } }),
    true,
  ],
  ['a class that is a number', contextOf({ '@class': 5, authenticated: true }), true],
  ['"authenticated" as a text', tokenOf({ authenticated: 'true' }), true],
  ['a token that is not authenticated', tokenOf({ authenticated: false }), false],
  [
    'a token of a class whose JSON hides "authenticated"',
    tokenOf({ '@class': 'com.shop.ShopToken', authenticated: undefined }),
    true,
  ],
  [
    'a prototype with a login in it',
    `{"@class":"${SECURITY}.core.context.SecurityContextImpl","__proto__":{"authentication":{"@class":"${LOGIN}","authenticated":true,"principal":"kim"}}}`,
    true,
  ],
  ...WRONG_VALUES.map(
    (principal) =>
      [`the principal ${JSON.stringify(principal)}`, tokenOf({ principal }), true] as const,
  ),
  ...WRONG_VALUES.map((username) => {
    const principal = { '@class': USER, username };
    return [`the user name ${JSON.stringify(username)}`, tokenOf({ principal }), true] as const;
  }),
];

describe.each(PLATFORMS)('sessions of Spring that hold nonsense, on %s', (platform: Platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  const logger = new LoggedLines();

  async function startShop(): Promise<StartedApp> {
    logger.clear();
    return start(
      { logger, features: [springSession()], security: { csrf: true, loginPage: '/login' } },
      { controllers: [PageController], providers: [LocalStrategy] },
    );
  }

  const keyOf = (id: string) => `${redis.namespace}:sessions:${id}`;
  const cookieOf = (id: string) => `SESSION=${Buffer.from(id).toString('base64')}`;

  async function store(fields: Record<string, string | number>): Promise<string> {
    const id = randomUUID();
    const times = { creationTime: Date.now(), lastAccessedTime: Date.now() };
    await redis.client.hset(keyOf(id), { ...times, maxInactiveInterval: 1800, ...fields });
    await redis.client.expire(keyOf(id), 1800);
    return id;
  }

  it('a user of SAML is a stranger with one warning, is sent to log in, and stays logged in at Spring', async () => {
    const { client } = await startShop();
    const id = await store({ [CONTEXT]: SAML_LOGIN });
    const cookie = cookieOf(id);
    for (let request = 0; request < 3; request++) {
      expect((await client.get('/me').set('cookie', cookie)).body).toMatchObject({ name: null });
      expect((await client.get('/members').set('cookie', cookie)).status).toBe(401);
      const page = await client.get('/members').set(NAVIGATION).set('cookie', cookie);
      expect(page.headers['location']).toMatch(/^\/login/);
    }
    expect(await redis.client.hget(keyOf(id), CONTEXT)).toBe(SAML_LOGIN);
    expect(logger.lines).toHaveLength(1);
    expect(logger.text).toContain('Saml2Authentication');
    expect(logger.text).not.toContain('kim');
  });

  it('a user of SAML is known when the option principal translates him', async () => {
    const fromSpring = (principal: unknown) => {
      const { name } = principal as { name: string };
      return { name, principal: { username: name } };
    };
    const users = { fromSpring, toSpring: () => undefined };
    const { client } = await start(
      { features: [springSession({ principal: users })] },
      { controllers: [PageController], providers: [LocalStrategy] },
    );
    const id = await store({ [CONTEXT]: SAML_LOGIN });
    const { body: known } = (await client.get('/me').set('cookie', cookieOf(id))) as {
      body: object;
    };
    expect(known).toEqual({ name: 'kim', authorities: ['ROLE_USER'] });
  });

  it.each(POISONS)('nobody is logged in by %s, and it stays', async (_what, text, isTold) => {
    const { client } = await startShop();
    const id = await store({ [CONTEXT]: text, [INDEX_NAME]: '"kim"' });
    for (let request = 0; request < 3; request++) {
      const response = await client.get('/me').set('cookie', cookieOf(id));
      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({ name: null });
    }
    expect(await redis.client.hget(keyOf(id), CONTEXT)).toBe(text);
    expect(logger.lines).toHaveLength(isTold ? 1 : 0);
    expect(logger.text.length).toBeLessThan(1000);
    expect(logger.text).not.toMatch(/\p{Cc}|\u2028|kim/u);
  });

  it.each([
    ['no JSON', '{"@class":'],
    ['a number', '5'],
    ['null', 'null'],
    ['a token that is a number', '{"@class":"a.B","token":5}'],
    ['a token that is an object', '{"@class":"a.B","token":{"length":-1}}'],
    ['an empty token', '{"@class":"a.B","token":""}'],
  ])('a CSRF token of %s makes place for a good one', async (_what, text) => {
    const { client } = await startShop();
    const cookie = cookieOf(await store({ [CSRF_TOKEN]: text }));
    const given = await client.get('/csrf').set('cookie', cookie);
    expect(given.status).toBe(200);
    const form = { username: 'kim', password: 'kim' };
    const refused = await client.post('/login').set('cookie', cookie).send(form);
    expect(refused.status).toBe(403);
    const login = client.post('/login').set({ cookie, 'x-csrf-token': given.text });
    expect((await login.send(form)).status).toBe(201);
  });

  it.each([
    ['no JSON', '{"@class":'],
    ['nothing', 'null'],
    ['a list', '["java.util.ArrayList",[1]]'],
    ['another site', savedPage({ requestURI: '//evil.example/' })],
    ['another site in its query', savedPage({ requestURI: '/\\evil.example', queryString: '@x' })],
    ['a line break', savedPage({ requestURI: '/a\r\nset-cookie: a=b' })],
    ['a path that is an object', savedPage({ requestURI: { toString: 1, valueOf: 1 } })],
    ['a path that is a Java value', savedPage({ requestURI: ['java.net.URI', '/members'] })],
    ['a query that is a list', savedPage({ queryString: ['a', 'b'], requestURI: 5 })],
    ['a method that is a number', savedPage({ method: 5 })],
  ])('a login goes to the default page when the saved page is %s', async (_what, text) => {
    const { client } = await startShop();
    const cookie = cookieOf(await store({ [SAVED_REQUEST]: text }));
    const { text: token } = await client.get('/csrf').set('cookie', cookie);
    const login = client.post('/login').set({ ...NAVIGATION, cookie, 'x-csrf-token': token });
    const form = { username: 'kim', password: 'kim' };
    const { status, headers } = await login.type('form').send(form);
    expect({ status, location: headers['location'] }).toEqual({ status: 303, location: '/' });
  });

  it.each([
    ['nothing', { creationTime: '' }],
    ['a text', { lastAccessedTime: 'yesterday' }],
    ['a decimal', { maxInactiveInterval: '1800.5' }],
    ['a number that is too large', { creationTime: '9'.repeat(400) }],
  ])('a visitor is a stranger when a time of his session is %s', async (_what, fields) => {
    const { client } = await startShop();
    const id = await store({ [CONTEXT]: tokenOf({}), ...fields });
    const before = await redis.client.hgetall(keyOf(id));
    const response = await client.get('/me').set('cookie', cookieOf(id));
    expect({ status: response.status, ...(response.body as object) }).toMatchObject({
      status: 200,
      name: null,
    });
    expect(await redis.client.hgetall(keyOf(id))).toEqual(before);
  });

  it.each([
    ['a list', [[LOGIN, [1]], 5, null, ['a', 'b']]],
    ['a text', 'ADMIN'],
    ['an object', { '@class': 'java.util.HashMap', authority: 'ADMIN' }],
    ['names that are no texts', ['java.util.ArrayList', [{ authority: 5 }, { authority: null }]]],
    ['null', null],
  ])('a user has no authority when the list of them is %s', async (_what, authorities) => {
    const { client } = await startShop();
    const id = await store({ [CONTEXT]: tokenOf({ authorities }) });
    const response = await client.get('/me').set('cookie', cookieOf(id));
    expect(response.body).toEqual({ name: 'kim', authorities: [] });
  });

  it.each([
    ['a list', []],
    ['a name of another user', { name: 'eve', authenticatedAt: 1, principal: 'eve' }],
    ['a time that is a text', { name: 'kim', authenticatedAt: 'x', principal: 'eve' }],
    ['no principal', { name: 'kim', authenticatedAt: 1 }],
  ])('what Nest has left in a login does not matter when it is %s', async (_what, node) => {
    const { client } = await startShop();
    const id = await store({ [CONTEXT]: tokenOf({ node }) });
    const response = await client.get('/user').set('cookie', cookieOf(id));
    expect(response.body).toEqual({ username: 'kim' });
  });
});

function savedPage(fields: object): string {
  const defaults = {
    '@class': 'x.Saved',
    method: 'GET',
    requestURI: '/members',
    queryString: null,
  };
  return JSON.stringify({ ...defaults, ...fields });
}
