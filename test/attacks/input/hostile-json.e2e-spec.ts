import { afterEach, describe, expect, it } from '@jest/globals';
import { type ArgumentsHost, Body, Catch, Controller, Get, Post } from '@nestjs/common';
import { APP_FILTER, BaseExceptionFilter } from '@nestjs/core';
import { CurrentSession, type Session } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

@Controller('cart')
class CartController {
  @Get()
  read(@CurrentSession() session: Session): object {
    return { isList: Array.isArray(session.getAttribute<unknown[]>('posted')) };
  }

  @Post()
  store(@CurrentSession() session: Session, @Body() { cart }: { cart: unknown }): void {
    session.setAttribute<unknown>('posted', cart);
  }

  @Post('items')
  add(@CurrentSession() session: Session): void {
    (session.getAttribute<unknown[]>('posted') ?? []).push('tea');
  }
}

const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 'tea');

/** Those that see what is changed in place. */
const WATCHFUL_MODES = ['on-change', 'on-get-attribute', 'always'] as const;

const redis = useTestRedis();

describe.each(PLATFORMS)('JSON of a client on %s', (platform) => {
  let app: StartedApp;
  let refusals: string[];

  const start = async (saveMode?: (typeof WATCHFUL_MODES)[number] | 'on-set-attribute') => {
    refusals = [];
    @Catch()
    class RecordingFilter extends BaseExceptionFilter {
      override catch(error: unknown, host: ArgumentsHost): void {
        refusals.push(String(error));
        super.catch(error, host);
      }
    }
    app = await startApp(platform, {
      controllers: [CartController],
      providers: [{ provide: APP_FILTER, useClass: RecordingFilter }],
      options: {
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        ...(saveMode && { saveMode }),
      },
    });
    return new Visitor(app.url);
  };
  /** As somebody may write it who uses another codec. */
  const storeText = async (visitor: Visitor, text: string) => {
    const key = redis.keys.session((await visitor.cookie()) ?? '');
    await redis.client.hset(key, 'sessionAttr:posted', text);
  };

  const storedText = async (visitor: Visitor) =>
    redis.client.hget(redis.keys.session((await visitor.cookie()) ?? ''), 'sessionAttr:posted');

  afterEach(() => app.close());

  it('is stored when it is 50 levels deep', async () => {
    const visitor = await start();
    expect((await visitor.post('/cart', { cart: nested(50) })).status).toBe(201);
    expect((await visitor.get('/cart')).body).toEqual({ isList: true });
  });

  it.each([51, 490, 2_000])(
    'is refused with the path when it is %i levels deep',
    async (levels) => {
      const visitor = await start();
      expect((await visitor.post('/cart', { cart: nested(levels) })).status).toBe(500);
      expect(await visitor.cookie()).toBeUndefined();
      expect(refusals.join()).toContain(`posted${'[0]'.repeat(50)} is nested deeper than 50`);
    },
  );

  it.each([...WATCHFUL_MODES, 'on-set-attribute'] as const)(
    'that cannot be written again is read as before with the save mode %s',
    async (saveMode) => {
      const visitor = await start(saveMode);
      await visitor.post('/cart', { cart: [] });
      await storeText(visitor, '[1e400]');
      const answer = await visitor.get('/cart');
      expect([answer.status, answer.body]).toEqual([200, { isList: true }]);
      expect(await storedText(visitor)).toBe('[1e400]');
    },
  );

  it.each(WATCHFUL_MODES)(
    'that cannot be written again is not changed in silence with the save mode %s',
    async (saveMode) => {
      const visitor = await start(saveMode);
      await visitor.post('/cart', { cart: [] });
      await storeText(visitor, '[1e400]');
      expect((await visitor.post('/cart/items')).status).toBe(500);
      expect(refusals.join()).toContain('posted[0] is not a finite number');
    },
  );
});
