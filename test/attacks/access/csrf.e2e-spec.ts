import {
  Body,
  Controller,
  Get,
  type INestApplication,
  Module,
  Post,
  Query,
  Req,
} from '@nestjs/common';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CsrfToken,
  CsrfTokenService,
  LoginService,
  RedisSessionModule,
} from 'nestjs-redis-session';
import { Visitor } from '../../../tools/demo/visitor.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
const CROSS_SITE = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };

@Controller()
class FormController {
  constructor(
    private readonly loginService: LoginService,
    private readonly csrfTokens: CsrfTokenService,
  ) {}

  @Get('form')
  form(@CsrfToken() token: string): string {
    return token;
  }

  @Get('token')
  async token(@Req() request: object): Promise<{ token: string }> {
    return { token: await this.csrfTokens.tokenOf(request) };
  }

  @Get('echo')
  echo(@Query('text') text: string): string {
    return text;
  }

  @Post('order')
  order(): string {
    return 'ordered';
  }

  @Post('webhook')
  webhook(): string {
    return 'noted';
  }

  @Post('login')
  async login(@Req() request: object, @Body('name') name: string): Promise<string> {
    await this.loginService.login(request, { name });
    return name;
  }
}

@Module({
  imports: [
    RedisSessionModule.forRootAsync({
      useFactory: () => ({
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security: {
          csrf: { isExempt: ({ headers }) => headers['x-signature'] === 'good' },
          loginPage: '/login',
          logout: {},
        },
      }),
    }),
  ],
  controllers: [FormController],
})
class TokenModule {}

describe.each(PLATFORMS)('security.csrf, on %s', (platform) => {
  let app: StartedApp;
  let visitor: Visitor;

  beforeAll(async () => {
    app = await startApp(platform, { pod: 'pod-a', imports: [TokenModule] });
  });

  afterAll(() => app.close());

  beforeEach(() => {
    visitor = new Visitor(app.url);
  });

  const tokenFor = async (who: Visitor): Promise<string> => (await who.open('/form')).text;

  async function post(path: string, headers: Record<string, string>): Promise<number> {
    const cookie = await visitor.cookie();
    const init = { method: 'POST', headers: { cookie, ...headers }, redirect: 'manual' } as const;
    const answer = await fetch(app.url + path, init);
    await answer.text();
    return answer.status;
  }

  it('accepts a form that sends the token of its page', async () => {
    const _csrf = await tokenFor(visitor);
    expect(await visitor.submit('/order', { _csrf })).toMatchObject({ status: 201 });
  });

  it('accepts JSON, and a script that sends the token as a header', async () => {
    const token = await tokenFor(visitor);
    expect((await visitor.postJson('/order', { _csrf: token })).status).toBe(201);
    expect(await post('/order', { 'x-csrf-token': token })).toBe(201);
  });

  it('accepts all tokens of a session, which are never the same', async () => {
    const { token } = JSON.parse((await visitor.getJson('/token')).text) as { token: string };
    const tokens = [token, await tokenFor(visitor), await tokenFor(visitor)];
    expect(new Set(tokens).size).toBe(3);
    for (const _csrf of tokens) {
      expect((await visitor.submit('/order', { _csrf })).status).toBe(201);
    }
  });

  it('refuses a request without a token, before and after a login, and sends nobody to log in', async () => {
    expect((await visitor.submit('/order')).status).toBe(403);
    await visitor.submit('/login', { name: 'kim', _csrf: await tokenFor(visitor) });
    expect((await visitor.submit('/order')).status).toBe(403);
    expect((await visitor.postJson('/order', {})).status).toBe(403);
  });

  it('says whether the token is missing or wrong, and where to send it', async () => {
    const missing = await visitor.postJson('/order', {});
    expect(JSON.parse(missing.text)).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail:
        'The CSRF token is missing. Send one of your session as the header X-CSRF-TOKEN, or as the field _csrf if the body is not multipart.',
      reason: 'missing-csrf-token',
    });
    const wrong = await visitor.postJson('/order', { _csrf: await tokenFor(new Visitor(app.url)) });
    expect(JSON.parse(wrong.text)).toMatchObject({
      detail: 'The CSRF token is not one of your session. Load the page again for a new one.',
      reason: 'invalid-csrf-token',
    });
    const page = await visitor.submit('/order');
    expect(page.text).toContain('<p>The CSRF token is missing. Send one of your session as');
    const logout = await visitor.postJson('/logout', {});
    expect(JSON.parse(logout.text)).toMatchObject({
      detail: 'The CSRF token is missing. Send one of your session as the header X-CSRF-TOKEN.',
      reason: 'missing-csrf-token',
    });
  });

  it('refuses the token of another visitor', async () => {
    const _csrf = await tokenFor(new Visitor(app.url));
    await tokenFor(visitor);
    expect((await visitor.submit('/order', { _csrf })).status).toBe(403);
  });

  it('refuses what a form or a script of another site can send without being asked', async () => {
    const token = await tokenFor(visitor);
    const cookie = await visitor.cookie();
    const multipart = '--x\r\nContent-Disposition: form-data; name="_csrf"\r\n\r\nx\r\n--x--\r\n';
    const bodies = [
      ['text/plain', `{"_csrf":"${token}"}`],
      ['text/plain', `_csrf=${token}`],
      ['text/plain;charset=application/json', `{"_csrf":"${token}"}`],
      ['application/x-www-form-urlencoded', '_csrf='],
      ['application/x-www-form-urlencoded', `_csrf[]=${token}`],
      ['application/x-www-form-urlencoded', `_csrf=${token}&_csrf=${token}`],
      ['application/x-www-form-urlencoded', '__proto__[_csrf]=x&_csrf[length]=43'],
      ['application/json', `{"_csrf":["${token}"]}`],
      ['application/json', `{"_csrf":{"length":43,"toString":"${token}"}}`],
      ['application/json', '{"_csrf":null}'],
      ['application/json', `["_csrf","${token}"]`],
      ['application/json', `"${token}"`],
      ['multipart/form-data; boundary=x', multipart],
    ];
    for (const [type = '', body = ''] of bodies) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const headers = { 'content-type': type, 'x-http-method-override': 'GET', cookie };
        const { status } = await fetch(`${app.url}/order`, { method, headers, body });
        const refused = method === 'POST' ? [400, 403, 415] : [400, 403, 404, 415];
        expect([type, body, refused]).toEqual([type, body, expect.arrayContaining([status])]);
      }
    }
    expect(await post('/order', { 'x-csrf-token': `${token}, ${token}` })).toBe(403);
    expect(await post('/order', { 'x-csrf-token': token })).toBe(201);
  });

  it('refuses a token in the address', async () => {
    const token = await tokenFor(visitor);
    expect(await post(`/order?_csrf=${token}`, {})).toBe(403);
  });

  it('refuses a login without a token, and tokens from before a login', async () => {
    const _csrf = await tokenFor(visitor);
    expect((await visitor.submit('/login', { name: 'kim' })).status).toBe(403);
    expect((await visitor.submit('/login', { name: 'kim', _csrf })).status).toBe(201);
    expect((await visitor.submit('/order', { _csrf })).status).toBe(403);
    const renewed = await tokenFor(visitor);
    expect((await visitor.submit('/order', { _csrf: renewed })).status).toBe(201);
  });

  it('asks nothing of requests that change nothing', async () => {
    expect((await visitor.open('/echo?text=hello')).status).toBe(200);
  });

  it('leaves out what `isExempt` names', async () => {
    expect(await post('/webhook', { 'x-signature': 'good' })).toBe(201);
    expect(await post('/webhook', { 'x-signature': 'bad' })).toBe(403);
  });

  it('guards the ready logout by a header, or by what the browser says of the page', async () => {
    await visitor.submit('/login', { name: 'kim', _csrf: await tokenFor(visitor) });
    for (const site of ['cross-site', 'same-site', 'none', '', 'same-origin, cross-site'])
      expect([site, await post('/logout', { 'sec-fetch-site': site })]).toEqual([site, 403]);
    expect(await post('/logout', {})).toBe(403);
    expect(await post('/logout', CROSS_SITE)).toBe(403);
    expect(await post('/logout', { 'x-csrf-token': await tokenFor(new Visitor(app.url)) })).toBe(
      403,
    );
    const token = await tokenFor(visitor);
    expect(await post('/logout', { 'x-csrf-token': token })).toBe(204);
    expect(await post('/logout', { 'sec-fetch-site': 'same-origin' })).toBe(204);
  });
});

@Module({
  imports: [
    RedisSessionModule.forRootAsync({
      useFactory: () => ({
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security: { logout: {} },
      }),
    }),
  ],
  controllers: [FormController],
})
class FetchMetadataModule {}

describe.each(PLATFORMS)('app.enableCsrfProtection() of Nest, on %s', (platform) => {
  let app: StartedApp;

  beforeAll(async () => {
    const configure = (nest: INestApplication) =>
      void (nest as NestExpressApplication).enableCsrfProtection();
    app = await startApp(platform, {
      pod: 'pod-a',
      imports: [FetchMetadataModule],
      prepare: configure,
    });
  });

  afterAll(() => app.close());

  async function post(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(app.url + path, { method: 'POST', headers, redirect: 'manual' });
  }

  it.each(['/order', '/login', '/logout'])('refuses %s from another site', async (path) => {
    const answer = await post(path, CROSS_SITE);
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('refuses what comes from another site of a browser without fetch metadata', async () => {
    expect((await post('/order', { origin: 'https://evil.example' })).status).toBe(403);
    expect((await post('/order', { origin: 'null' })).status).toBe(403);
  });

  it('accepts forms of its own pages, and programs', async () => {
    expect((await post('/order', { 'sec-fetch-site': 'same-origin' })).status).toBe(201);
    expect((await post('/order', { origin: app.url })).status).toBe(201);
    expect((await post('/order')).status).toBe(201);
  });
});
