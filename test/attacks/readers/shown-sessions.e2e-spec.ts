import { format, inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Put } from '@nestjs/common';
import { CurrentSession, type Session } from 'nestjs-redis-session';
import { expressSession } from 'nestjs-redis-session/express-session';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const CARD = '4111-1111';

@Controller('careless')
class CarelessController {
  @Put()
  fill(@CurrentSession() session: Session): void {
    session.setAttribute<string>('card', CARD);
  }

  @Get('logged')
  logged(@CurrentSession() session: Session): object {
    return {
      logged: format(session, { deep: { inside: [session] } }),
      all: inspect(session, { depth: 20, showHidden: true, getters: true }),
      json: JSON.stringify({ session }),
    };
  }

  @Get('read-and-logged')
  readAndLogged(@CurrentSession() session: Session): object {
    session.getAttribute<object>('card');
    return this.logged(session);
  }

  @Get('ended-and-logged')
  async endedAndLogged(@CurrentSession() session: Session): Promise<object> {
    await session.invalidate();
    return this.logged(session);
  }

  @Get('returned')
  returned(@CurrentSession() session: Session): object {
    return session;
  }
}

describe.each(PLATFORMS)('A session that is logged or returned by mistake, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  it.each([
    ['logged', {}],
    ['read-and-logged', {}],
    ['ended-and-logged', {}],
    ['returned', {}],
    ['logged', { features: [expressSession()] }],
  ])('shows names, but no id and no value: %s, with %j', async (path, options) => {
    const { client } = await start(options, { controllers: [CarelessController] });
    const cookie = sessionCookieOf(await client.put('/careless'));
    const answer = await client.get(`/careless/${path}`).set('Cookie', cookie);
    expect(answer.text).toContain('card');
    expect(answer.text).not.toContain(CARD);
    expect(answer.text).not.toContain(cookie.slice('SESSION='.length + 8));
  });
});
