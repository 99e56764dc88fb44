import { nearCache } from 'nestjs-redis-session';
import { afterEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  Controller,
  HttpCode,
  type INestApplication,
  Post,
  Req,
  RequestMethod,
} from '@nestjs/common';
import { clearSiteData, type LogoutHandler } from 'nestjs-redis-session/http';
import { LogoutService, type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { setCookieLinesOf, Visitor } from '../../support/http/visitor.js';

@Controller()
class OwnLogoutController {
  constructor(private readonly logoutService: LogoutService) {}

  @Post('own-logout')
  @HttpCode(200)
  async logout(@Req() request: { user?: unknown }): Promise<object> {
    await this.logoutService.logout(request);
    return { user: request.user ?? 'nobody' };
  }
}

type Options = Partial<RedisSessionModuleOptions>;

const redis = useTestRedis();

describe.each(PLATFORMS)('logout on %s', (platform) => {
  let app: StartedApp;
  let kim: Visitor;

  const start = async (
    security: Options['security'],
    options: Options = {},
    prepare?: (nest: INestApplication) => void,
  ) => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, OwnLogoutController],
      options: {
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security,
        ...options,
      },
      trustsProxy: true,
      ...(prepare && { prepare }),
    });
    kim = new Visitor(app.url);
    await kim.post(prepare ? '/api/login' : '/login', KIM);
  };
  const storedSessions = async () =>
    (await redis.allKeys()).filter((key) => key.includes(':sessions:'));

  afterEach(async () => {
    await app.close();
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  describe('by the ready route', () => {
    it('has the path that clients see, as the login page has, whatever the global prefix', async () => {
      const prepare = (nest: INestApplication) => void nest.setGlobalPrefix('api');
      await start({ logout: {}, loginPage: '/login' }, {}, prepare);
      expect((await kim.open('/api/members')).status).toBe(200);
      expect((await kim.post('/api/logout')).status).toBe(404);
      expect((await kim.submit('/logout/')).headers['location']).toBe('/');
      expect((await kim.open('/api/members')).headers['location']).toMatch(/^\/login/);
    });

    it('ends the session in an application that excludes other routes', async () => {
      await start({ logout: {} }, { exclude: ['health'] });
      expect((await kim.post('/logout')).status).toBe(204);
      expect(await storedSessions()).toEqual([]);
    });

    it('ends the session outside a global prefix that routes are excluded from', async () => {
      const prepare = (nest: INestApplication) => void nest.setGlobalPrefix('api');
      await start({ logout: {} }, { exclude: ['health'] }, prepare);
      expect((await kim.post('/logout')).status).toBe(204);
      expect(await storedSessions()).toEqual([]);
    });

    it.each([
      [['logout'], '/logout', ''],
      [['/logout'], '/logout', ''],
      [['{*path}'], '/logout', ''],
      [['account/*rest'], '/account/logout', ''],
      [[{ path: 'logout', method: RequestMethod.POST }], '/logout', ''],
      [['logout'], '/api/logout', 'api'],
    ])('is refused at start when exclude is %j and its path %s', async (exclude, path, prefix) => {
      const prepare = (nest: INestApplication) => void nest.setGlobalPrefix(prefix);
      const starting = startApp(platform, {
        options: { store: 'memory', exclude, security: { logout: { path } } },
        prepare,
      });
      await expect(starting).rejects.toThrow(`got "${path}", which the option exclude covers`);
      await start({});
    });
  });

  it('by the service deletes the session in Redis at once, and the cookie', async () => {
    await start({});
    const thief = await kim.twin();
    const logout = await kim.post('/own-logout');
    expect([logout.status, logout.body]).toEqual([200, { user: 'nobody' }]);
    expect(await storedSessions()).toEqual([]);
    expect(await kim.cookie()).toBeUndefined();
    expect((await thief.get('/members')).status).toBe(401);
  });

  it.each<Options>([
    {},
    { features: [nearCache({ maxSessions: 10 })] },
    { repository: 'indexed' },
    { store: 'memory', redis: undefined },
  ])('ends the session of every cookie that the client sends, with %j', async (options) => {
    await start({ logout: {} }, options);
    const lee = new Visitor(app.url);
    await lee.post('/login', { ...KIM, username: 'lee' });
    const unknown = Buffer.from(randomUUID()).toString('base64');
    const cookie = [unknown, await kim.cookie(), await lee.cookie()]
      .map((value) => `SESSION=${value}`)
      .join('; ');
    const withAll = () => new Visitor(app.url);
    expect((await withAll().get('/members', { cookie })).status).toBe(200);
    const logout = await withAll().post('/logout', {}, { cookie });
    expect(logout.status).toBe(204);
    expect(setCookieLinesOf(logout)).toEqual([expect.stringMatching(/^SESSION=;.*Max-Age=0/)]);
    expect((await withAll().get('/members', { cookie })).status).toBe(401);
    expect(await storedSessions()).toEqual([]);
  });

  it('clears the cookie with the attributes that it was set with', async () => {
    await start({}, { cookie: { path: '/', priority: 'high', sameSite: 'strict' } });
    const visitor = new Visitor(app.url);
    const attributesOf = (line: string | undefined) =>
      (line ?? '')
        .split('; ')
        .slice(1)
        .filter((part) => !/^(Max-Age|Expires)=/i.test(part));
    const set = setCookieLinesOf(await visitor.post('/login', KIM));
    const cleared = setCookieLinesOf(await visitor.post('/own-logout'));
    expect(cleared).toHaveLength(1);
    expect(cleared[0]).toMatch(/^SESSION=;.*Max-Age=0/);
    expect(attributesOf(cleared[0]).sort()).toEqual(attributesOf(set[0]).sort());
  });

  it('has no endpoint of its own unless it is asked for', async () => {
    await start({});
    expect((await kim.post('/logout')).status).toBe(404);
    expect((await kim.get('/members')).status).toBe(200);
  });

  describe('by the ready endpoint', () => {
    it('leads browsers to the page of choice, and answers others with 204', async () => {
      await start({ logout: { path: '/sign-out', successPath: '/?reason=logout' } });
      const program = await kim.twin();
      const page = await kim.submit('/sign-out');
      expect([page.status, page.headers['location']]).toEqual([303, '/?reason=logout']);
      expect(await kim.cookie()).toBeUndefined();
      expect(await storedSessions()).toEqual([]);
      await program.post('/login', KIM);
      const answer = await program.post('/sign-out');
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect((await program.get('/members')).status).toBe(401);
    });

    it('takes POST alone: no link and no image logs anybody out', async () => {
      await start({ logout: {} });
      expect((await kim.open('/logout')).status).toBe(404);
      expect((await kim.get('/members')).status).toBe(200);
    });

    it('is of use to anonymous visitors, too, and stores nothing for them', async () => {
      await start({ logout: {} });
      await kim.post('/logout');
      const again = await kim.submit('/logout');
      expect([again.status, again.headers['location']]).toEqual([303, '/']);
      expect(setCookieLinesOf(again)).toEqual([]);
      expect(await storedSessions()).toEqual([]);
    });
  });

  it('calls the handlers in turn when the session is gone, with who it was', async () => {
    const calls: unknown[] = [];
    const handler = (name: string): LogoutHandler => ({
      logout: async (exchange, authentication) => {
        calls.push([name, authentication?.name, await storedSessions()]);
        exchange.appendHeader('Set-Cookie', `${name}=; Max-Age=0`);
      },
    });
    await start({ logout: { handlers: [handler('first'), handler('second')] } });
    const logout = await kim.submit('/logout');
    expect(calls).toEqual([
      ['first', 'kim', []],
      ['second', 'kim', []],
    ]);
    expect(
      setCookieLinesOf(logout)
        .map((line) => line.split('=', 1)[0])
        .sort(),
    ).toEqual(['SESSION', 'first', 'second'].sort());
  });

  it('has browsers clear the data of the site over https', async () => {
    await start({ logout: { handlers: [clearSiteData('cache', 'storage')] } });
    const overHttps = await kim.twin();
    expect((await kim.post('/logout')).headers).not.toHaveProperty('clear-site-data');
    const answer = await overHttps.post('/logout', {}, { 'x-forwarded-proto': 'https' });
    expect(answer.headers['clear-site-data']).toBe('"cache", "storage"');
  });

  it.each(['/logout', '/own-logout'])(
    'answers 503 when Redis is away, and leaves the user logged in: %s',
    async (path) => {
      const own = await startRedis();
      try {
        await start({ logout: {} }, { redis: own.url, commandTimeoutMs: 1000 });
        await own.kill('SIGSTOP');
        const refused = await kim.post(path);
        expect(refused.status).toBe(503);
        expect(setCookieLinesOf(refused)).toEqual([]);
        await own.kill('SIGCONT');
        expect((await kim.get('/members')).status).toBe(200);
      } finally {
        await own.stop();
      }
    },
  );
});
