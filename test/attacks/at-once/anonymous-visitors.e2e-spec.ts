import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post } from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  type RedisSessionModuleOptions,
  type SecurityOptions,
  type Session,
} from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { type RequestLine, send } from '../../support/http/http-client.js';
import { API, NAVIGATION, Visitor } from '../../support/http/visitor.js';

const VISITORS = 100;

@Controller()
class ShopController {
  @Get('orders')
  @Authenticated()
  orders(): string {
    return 'orders';
  }

  @Post('cart')
  fill(@CurrentSession() session: Session): void {
    session.setAttribute('cart', ['tea']);
  }

  @Post('short')
  shorten(@CurrentSession() session: Session): void {
    session.maxInactiveIntervalSeconds = 120;
    session.setAttribute('cart', ['tea']);
  }
}

const redis = useTestRedis();

describe.each(PLATFORMS)('visitors who never log in on %s', (platform) => {
  let app: StartedApp;

  const start = async (
    security: SecurityOptions,
    options: Partial<RedisSessionModuleOptions> = {},
  ) => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, ShopController],
      options: {
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security,
        ...options,
      },
    });
    return new Visitor(app.url);
  };
  const timeToLiveSeconds = async (visitor: Visitor) => {
    const { ttlMs } = await redis.contentOf(redis.keys.session((await visitor.cookie()) ?? ''));
    return Math.round(ttlMs / 1000);
  };

  afterEach(async () => {
    await app.close();
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  it.each(['default', 'indexed'] as const)(
    'leave one short-lived session each, and no other key (%s repository)',
    async (repository) => {
      await start({ loginPage: '/login' }, { repository });
      const visits = Array.from({ length: VISITORS }, (_, visit) =>
        new Visitor(app.url).open(`/orders?visit=${visit}`),
      );
      for (const { status } of await Promise.all(visits)) expect(status).toBe(302);
      const keys = (await redis.allKeys()).filter((key) => !key.endsWith(':expirations'));
      const sessions = keys.filter((key) => key.includes(':sessions:'));
      expect(sessions).toHaveLength(VISITORS);
      expect(keys).toEqual(sessions);
      for (const key of sessions) {
        const { fields } = await redis.contentOf(key);
        expect(fields['maxInactiveInterval']).toBe('300');
      }
    },
  );

  it('live as long as the option says', async () => {
    const visitor = await start({ loginPage: '/login', savedRequestSeconds: 60 });
    await visitor.open('/orders');
    expect(await timeToLiveSeconds(visitor)).toBe(60);
    await visitor.open('/orders?page=2');
    expect(await timeToLiveSeconds(visitor)).toBe(60);
  });

  it('keep a session as long as others once it holds anything else', async () => {
    const visitor = await start({ loginPage: '/login' });
    await visitor.open('/orders');
    expect(await timeToLiveSeconds(visitor)).toBe(300);
    await visitor.post('/cart');
    expect(await timeToLiveSeconds(visitor)).toBe(1800);
  });

  it('keep the idle time that the application gives their session', async () => {
    const visitor = await start({ loginPage: '/login' });
    await visitor.open('/orders');
    await visitor.post('/short');
    expect(await timeToLiveSeconds(visitor)).toBe(120);
  });

  it.each(['change-session-id', 'migrate-session', 'new-session', 'none'] as const)(
    'have an ordinary session after a login (%s)',
    async (sessionFixation) => {
      const visitor = await start({ loginPage: '/login', sessionFixation });
      await visitor.open('/orders');
      await visitor.submit('/login', KIM);
      expect(await timeToLiveSeconds(visitor)).toBe(1800);
    },
  );

  it('live no longer for it when their sessions end early anyway', async () => {
    const visitor = await start({
      loginPage: '/login',
      anonymousMaxInactiveIntervalSeconds: 100,
    });
    await visitor.open('/orders');
    expect(await timeToLiveSeconds(visitor)).toBe(100);
  });

  it('leave nothing when there is no page to log in at', async () => {
    const visitor = await start({});
    expect((await visitor.open('/orders')).status).toBe(401);
    expect(await visitor.cookie()).toBeUndefined();
    expect(await redis.allKeys()).toEqual([]);
  });

  it('leave nothing for an address of more than 1 kB', async () => {
    const visitor = await start({ loginPage: '/login' });
    const { headers } = await visitor.open(`/orders?q=${'x'.repeat(1024)}`);
    expect(headers['location']).toBe('/login');
    expect(await redis.allKeys()).toEqual([]);
  });

  it('leave nothing for requests that nobody comes back to after a login', async () => {
    await start({ loginPage: '/login' });
    const requests: [RequestLine, Record<string, string>][] = [
      ['HEAD /orders', NAVIGATION],
      ['OPTIONS /orders', NAVIGATION],
      ['POST /orders', { ...NAVIGATION, 'content-type': 'application/x-www-form-urlencoded' }],
      ['GET /orders', API],
      ['GET /orders', { accept: '*/*' }],
      ['GET /orders', { ...NAVIGATION, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
      ['GET /orders', { ...NAVIGATION, 'sec-purpose': 'prefetch' }],
      ['GET /orders', { ...NAVIGATION, 'x-requested-with': 'XMLHttpRequest' }],
      ['GET /no-such-page', NAVIGATION],
    ];
    for (const [line, headers] of requests) {
      const { cookie, status } = await send(app.url, line, headers);
      expect([line, cookie]).toEqual([line, undefined]);
      expect(status).not.toBe(200);
    }
    expect(await redis.allKeys()).toEqual([]);
  });
});
