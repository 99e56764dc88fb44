import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Post } from '@nestjs/common';
import {
  CurrentSession,
  type RedisSessionModuleOptions,
  type Session,
  type SecurityOptions,
} from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { Visitor } from '../../support/http/visitor.js';

const MINUTE_MS = 60_000;

@Controller()
class CartController {
  @Post('cart')
  fill(@CurrentSession() session: Session): object {
    session.setAttribute<string>('basket', 'tea');
    return { seconds: session.maxInactiveIntervalSeconds };
  }
}

describe.each(PLATFORMS)('the end of a session on %s', (platform) => {
  let app: StartedApp;
  let nowMs: number;

  const start = async (
    security: SecurityOptions = {},
    options: Partial<RedisSessionModuleOptions> = {},
  ) => {
    nowMs = Date.UTC(2026, 0, 1);
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, CartController],
      options: {
        store: 'memory',
        clock: () => nowMs,
        security: { loginPage: '/login', ...security },
        ...options,
      },
    });
    return new Visitor(app.url);
  };
  const passMinutes = (minutes: number) => {
    nowMs += minutes * MINUTE_MS;
  };

  afterEach(() => app.close());

  it('comes absoluteTimeoutSeconds after its creation, however active the user is', async () => {
    const visitor = await start({}, { absoluteTimeoutSeconds: 3600 });
    await visitor.post('/login', KIM);
    passMinutes(25);
    expect((await visitor.get('/members')).status).toBe(200);
    passMinutes(25);
    expect((await visitor.get('/members')).status).toBe(200);
    passMinutes(10);
    expect((await visitor.get('/members')).status).toBe(401);
  });

  it('comes sooner for visitors than for users with anonymousMaxInactiveIntervalSeconds', async () => {
    const visitor = await start({ anonymousMaxInactiveIntervalSeconds: 300 });
    expect((await visitor.post('/cart')).body).toEqual({ seconds: 300 });
    await visitor.post('/login', KIM);
    expect((await visitor.post('/cart')).body).toEqual({ seconds: 1800 });
    passMinutes(29);
    expect((await visitor.get('/members')).status).toBe(200);
  });

  it('is told to who is refused for it', async () => {
    const visitor = await start();
    await visitor.post('/login', KIM);
    passMinutes(31);
    const answer = await visitor.get('/members');
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      401,
      { reason: 'session-ended' },
    ]);
    const page = await visitor.open('/members');
    expect(page.headers['location']).toMatch(/^\/login\?reason=session-ended&continue=/);
    expect((await visitor.get('/')).body).toEqual({ page: 'home' });
  });

  describe('invalidSessionPath', () => {
    const expired = async () => {
      const visitor = await start({ invalidSessionPath: '/' });
      await visitor.post('/login', KIM);
      passMinutes(31);
      return visitor;
    };

    it('is where browsers are sent from any page, once', async () => {
      const visitor = await expired();
      const refused = await visitor.open('/');
      expect([refused.status, refused.headers['location']]).toEqual([
        302,
        '/?reason=session-ended',
      ]);
      expect(await visitor.cookie()).toBeUndefined();
      const page = await visitor.open('/?reason=session-ended');
      expect(page.status).toBe(200);
    });

    it('is told programs by one 401', async () => {
      const visitor = await expired();
      const refused = await visitor.get('/');
      expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
        401,
        { reason: 'session-ended' },
      ]);
      expect((await visitor.get('/')).status).toBe(200);
    });

    it('does not keep anybody from logging in', async () => {
      const visitor = await expired();
      const login = await visitor.submit('/login', KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/']);
      expect((await visitor.get('/members')).status).toBe(200);
    });

    it('is of no interest to who never had a session', async () => {
      const visitor = await start({ invalidSessionPath: '/' });
      expect((await visitor.open('/')).status).toBe(200);
    });
  });
});
