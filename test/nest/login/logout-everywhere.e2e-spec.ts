import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import {
  type IndexedSessionOptions,
  LogoutService,
  RedisSessionModule,
  type RedisSessionModuleOptions,
} from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

@Controller()
class OwnLogoutController {
  constructor(private readonly logoutService: LogoutService) {}

  @Post('log-out-everywhere')
  @HttpCode(204)
  logout(@Req() request: object): Promise<void> {
    return this.logoutService.logout(request, { endsEverySession: true });
  }
}

const redis = useTestRedis();
const OPTIONS = {
  redis: process.env['TEST_REDIS_URL'],
  namespace: redis.namespace,
  repository: 'indexed',
  security: { logout: { endsEverySession: true } },
} satisfies RedisSessionModuleOptions;

describe.each(PLATFORMS)('a logout of every session on %s', (platform) => {
  let apps: StartedApp[] = [];

  const start = async (options: Partial<RedisSessionModuleOptions> = {}): Promise<string> => {
    const app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, OwnLogoutController],
      options: { ...OPTIONS, ...options },
    });
    apps.push(app);
    return app.url;
  };
  const logIn = async (url: string, user: typeof KIM | typeof ADMIN = KIM) => {
    const visitor = new Visitor(url);
    expect((await visitor.post('/login', user)).status).toBe(200);
    return visitor;
  };

  afterEach(async () => {
    await Promise.all(apps.map((app) => app.close()));
    apps = [];
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  it.each(['/logout', '/log-out-everywhere'])(
    'by %s ends those on other replicas, and nobody else’s',
    async (path) => {
      const [a, b] = [await start(), await start()];
      const [here, there] = [await logIn(a), await logIn(b)];
      const admin = await logIn(b, ADMIN);
      expect((await here.post(path)).status).toBe(204);
      expect(await here.cookie()).toBeUndefined();
      const refused = await there.get('/members');
      expect([refused.status, refused.body]).toEqual([
        401,
        expect.objectContaining({ reason: 'signed-out' }),
      ]);
      expect((await here.get('/members')).status).toBe(401);
      expect((await admin.get('/members')).status).toBe(200);
    },
  );

  it('finds them by the name that the application gives users', async () => {
    const principalName: IndexedSessionOptions['principalName'] = (session) =>
      session.getAttribute('SECURITY_CONTEXT') ? 'the one user' : undefined;
    const url = await start({ indexed: { principalName } });
    const [kim, admin] = [await logIn(url), await logIn(url, ADMIN)];
    await kim.post('/logout');
    expect((await admin.get('/members')).status).toBe(401);
  });

  it('is one of the own session alone unless it is asked for', async () => {
    const url = await start({ security: { logout: {} } });
    const [here, there] = [await logIn(url), await logIn(url)];
    await here.post('/logout');
    expect((await there.get('/members')).status).toBe(200);
  });

  it('by an anonymous visitor ends nothing', async () => {
    const url = await start();
    const kim = await logIn(url);
    expect((await new Visitor(url).post('/logout')).status).toBe(204);
    expect((await kim.get('/members')).status).toBe(200);
  });
});

describe('security.logout.endsEverySession', () => {
  it('is refused at start unless sessions are indexed', () => {
    expect(() => RedisSessionModule.forRoot({ ...OPTIONS, repository: 'default' })).toThrow(
      'security.logout.endsEverySession must be false unless repository is "indexed", got true.',
    );
  });

  it('of a call is refused when sessions are not indexed, and the user stays logged in', async () => {
    const app = await startApp('express', {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, OwnLogoutController],
      options: { ...OPTIONS, repository: 'default', security: {} },
    });
    const kim = new Visitor(app.url);
    await kim.post('/login', KIM);
    expect((await kim.post('/log-out-everywhere')).status).toBe(500);
    expect((await kim.get('/members')).status).toBe(200);
    await app.close();
  });
});
