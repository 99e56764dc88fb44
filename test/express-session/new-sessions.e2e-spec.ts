import { Controller, Get, Post, Res, Session as SessionOf } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CurrentSession, type Session } from 'nestjs-redis-session';
import { type ExpressSession, expressSession } from 'nestjs-redis-session/express-session';
import { type ServerResponse } from 'node:http';
import supertest from 'supertest';
import { PLATFORMS, useApps } from '../support/apps/start-app.js';
import { useTestRedis } from '../support/redis/test-redis.js';

/** Fastify hands out a reply, which holds the response. */
function rawOf(response: ServerResponse | { raw: ServerResponse }): ServerResponse {
  return 'raw' in response ? response.raw : response;
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

@Controller()
class NewSessionController {
  @Get('sliding')
  slide(@SessionOf() session: ExpressSession) {
    Object.assign(session.cookie, { maxAge: 60_000, secure: false, sameSite: 'strict' });
    return session.cookie.originalMaxAge;
  }

  @Post('sliding')
  slideAndFill(@SessionOf() session: ExpressSession) {
    this.slide(session);
    session['cart'] = ['tea'];
  }

  @Get('late')
  changeLate(
    @CurrentSession() session: Session,
    @Res() response: ServerResponse | { raw: ServerResponse },
  ) {
    const raw = rawOf(response);
    raw.write('sent;');
    const codes = [
      codeOf(() => session.setAttribute<number>('late', 1)),
      codeOf(() => session.update<number>('late', () => 1)),
    ];
    raw.end(codes.join());
  }

  @Get('late-in-time')
  changeBefore(
    @CurrentSession() session: Session,
    @Res() response: ServerResponse | { raw: ServerResponse },
  ) {
    const raw = rawOf(response);
    session.setAttribute('cart', ['tea']);
    raw.end('sent');
  }

  @Get('cart')
  cart(@SessionOf() session: ExpressSession) {
    return { cart: session['cart'] ?? null, maxAge: session.cookie.originalMaxAge };
  }
}

describe.each(PLATFORMS)('a session that nobody has stored on %s', (platform) => {
  const redis = useTestRedis();
  const startApp = useApps(platform, redis, { controllers: [NewSessionController] });
  const start = async () => (await startApp({ features: [expressSession()] })).url;

  afterEach(() => redis.removeKeys());

  it('is not stored for settings of its cookie alone', async () => {
    const response = await supertest(await start())
      .get('/sliding')
      .expect(200, '60000');
    expect(response.headers['set-cookie']).toBeUndefined();
    expect(await redis.allKeys()).toEqual([]);
  });

  it('is stored with the settings of its cookie when it gets an attribute', async () => {
    const agent = supertest.agent(await start());
    const response = await agent.post('/sliding').expect(201);
    expect(response.headers['set-cookie']?.[0]).toMatch(/; Max-Age=60; .*SameSite=Strict/);
    await agent.get('/cart').expect(200, { cart: ['tea'], maxAge: 60_000 });
  });

  it('refuses its first change after the first byte, and the response goes on', async () => {
    const refused = 'ERR_SESSION_RESPONSE_COMMITTED';
    const { text } = await supertest(await start())
      .get('/late')
      .expect(200);
    expect(text).toBe(`sent;${refused},${refused}`);
    expect(await redis.allKeys()).toEqual([]);
  });

  it('is stored when it is changed right before the first byte', async () => {
    const agent = supertest.agent(await start());
    await agent.get('/late-in-time').expect(200);
    await agent.get('/cart').expect(200, { cart: ['tea'], maxAge: null });
  });
});
