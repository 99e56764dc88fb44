import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post } from '@nestjs/common';
import { CurrentSession, type SecurityOptions, type Session } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { setCookieLinesOf, Visitor } from '../../support/http/visitor.js';

@Controller('cart')
class CartController {
  @Get()
  show(@CurrentSession() session: Session): object {
    return { cart: session.getAttribute<string>('basket') ?? 'empty' };
  }

  @Post()
  fill(@CurrentSession() session: Session): void {
    session.setAttribute<string>('basket', 'tea');
    session.maxInactiveIntervalSeconds = 600;
  }
}

const redis = useTestRedis();

describe.each(PLATFORMS)('sessionFixation on %s', (platform) => {
  let app: StartedApp;

  const start = async (sessionFixation?: SecurityOptions['sessionFixation']) => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, CartController],
      options: {
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security: { loginPage: '/login', sessionFixation },
      },
    });
    return new Visitor(app.url);
  };
  const contentOf = async (visitor: Visitor) =>
    redis.contentOf(redis.keys.session((await visitor.cookie()) ?? ''));

  afterEach(async () => {
    await app.close();
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  it('defaults to change-session-id', async () => {
    const visitor = await start();
    await visitor.post('/cart');
    const { fields } = await contentOf(visitor);
    await visitor.post('/login', KIM);
    expect((await contentOf(visitor)).fields).toMatchObject({
      creationTime: fields['creationTime'],
      maxInactiveInterval: '600',
      'sessionAttr:basket': '"tea"',
    });
  });

  it.each([
    { strategy: 'change-session-id', cart: 'tea', interval: '600' },
    { strategy: 'migrate-session', cart: 'tea', interval: '600' },
    { strategy: 'new-session', cart: 'empty', interval: '1800' },
  ] as const)(
    '$strategy leaves whoever knew the id before without a session',
    async ({ strategy, cart, interval }) => {
      const victim = await start(strategy);
      await victim.open('/members?tab=2');
      await victim.post('/cart');
      const attacker = await victim.twin();
      const login = await victim.submit('/login', KIM);

      expect(login.headers['location']).toBe('/members?tab=2');
      expect(setCookieLinesOf(login)).toHaveLength(1);
      expect(await victim.cookie()).not.toBe(await attacker.cookie());
      const keys = await redis.allKeys();
      expect(keys.filter((key) => key.includes(':sessions:'))).toHaveLength(1);
      expect((await attacker.get('/members')).status).toBe(401);
      expect((await attacker.get('/cart')).body).toEqual({ cart: 'empty' });
      expect((await victim.get('/members')).status).toBe(200);
      expect((await victim.get('/cart')).body).toEqual({ cart });
      expect((await contentOf(victim)).fields['maxInactiveInterval']).toBe(interval);
    },
  );

  it('none keeps the id, and still tells a browser to keep it when it is asked to remember', async () => {
    const visitor = await start('none');
    await visitor.post('/cart');
    const id = await visitor.cookie();
    const login = await visitor.submit('/login', { ...KIM, 'remember-me': 'on' });
    expect(await visitor.cookie()).toBe(id);
    expect(setCookieLinesOf(login)[0]).toMatch(/Max-Age=2592000/);
    expect((await visitor.get('/members')).status).toBe(200);
    const forgotten = await visitor.submit('/login', KIM);
    expect(setCookieLinesOf(forgotten)[0]).not.toMatch(/Max-Age/);
  });

  it('changes the id at every login, also of another user', async () => {
    const visitor = await start();
    await visitor.post('/login', KIM);
    const kim = await visitor.twin();
    await visitor.post('/login', ADMIN);
    expect((await kim.get('/members')).status).toBe(401);
    expect((await visitor.get('/admin')).status).toBe(200);
  });

  it('takes no id that an attacker made up', async () => {
    const visitor = await start();
    await visitor.post('/login', KIM);
    const known = (await visitor.cookie()) ?? '';
    const madeUp = known.replace(/.{4}$/, 'AAAA');
    const attacker = new Visitor(app.url);
    const login = await attacker.post('/login', ADMIN);
    expect(setCookieLinesOf(login)[0]).not.toContain(madeUp);
    expect(await redis.client.exists(redis.keys.session(madeUp))).toBe(0);
  });
});
