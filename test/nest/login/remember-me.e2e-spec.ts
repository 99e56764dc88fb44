import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Post } from '@nestjs/common';
import { CurrentSession, type SecurityOptions, type Session } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { setCookieLinesOf, Visitor } from '../../support/http/visitor.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const REMEMBERED = { ...KIM, 'remember-me': 'on' };

@Controller()
class IdController {
  @Post('change-id')
  changeId(@CurrentSession() session: Session): void {
    session.changeSessionId();
  }
}

describe.each(PLATFORMS)('rememberMe on %s', (platform) => {
  let app: StartedApp;
  let nowMs: number;

  const start = async (security: SecurityOptions = {}) => {
    nowMs = Date.UTC(2026, 0, 1);
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, IdController],
      options: {
        store: 'memory',
        clock: () => nowMs,
        maxInactiveIntervalSeconds: 1800,
        security: { loginPage: '/login', ...security },
      },
    });
    return new Visitor(app.url);
  };

  afterEach(() => app.close());

  it('defaults to 30 days without a request, for who asks for it', async () => {
    const visitor = await start();
    const login = await visitor.submit('/login', REMEMBERED);
    expect(setCookieLinesOf(login)[0]).toMatch(/Max-Age=2592000/);
    nowMs += 29 * DAY_MS;
    expect((await visitor.get('/members')).status).toBe(200);
    nowMs += 29 * DAY_MS;
    expect((await visitor.get('/members')).status).toBe(200);
    nowMs += 30 * DAY_MS + 1000;
    expect((await visitor.get('/members')).status).toBe(401);
  });

  it('forgets who did not ask for it after the idle time, and when the browser is closed', async () => {
    const visitor = await start();
    const login = await visitor.submit('/login', KIM);
    expect(setCookieLinesOf(login)[0]).not.toMatch(/Max-Age|Expires/i);
    nowMs += 30 * MINUTE_MS;
    expect((await visitor.get('/members')).status).toBe(401);
  });

  it('reads JSON, too', async () => {
    const visitor = await start();
    const login = await visitor.post('/login', { ...KIM, 'remember-me': true });
    expect(setCookieLinesOf(login)[0]).toMatch(/Max-Age=2592000/);
    const other = await new Visitor(app.url).post('/login', { ...KIM, 'remember-me': false });
    expect(setCookieLinesOf(other)[0]).not.toMatch(/Max-Age/);
  });

  it('has a parameter and a validity of choice', async () => {
    const visitor = await start({ rememberMe: { parameter: 'stay', validitySeconds: 3600 } });
    const login = await visitor.submit('/login', { ...KIM, stay: 'yes' });
    expect(setCookieLinesOf(login)[0]).toMatch(/Max-Age=3600/);
    expect(setCookieLinesOf(await visitor.submit('/login', REMEMBERED))[0]).not.toMatch(/Max-Age/);
  });

  it('can be switched off', async () => {
    const visitor = await start({ rememberMe: false });
    expect(setCookieLinesOf(await visitor.submit('/login', REMEMBERED))[0]).not.toMatch(/Max-Age/);
  });

  it('has the browser keep the cookie as long when the id changes', async () => {
    const visitor = await start();
    await visitor.submit('/login', REMEMBERED);
    const changed = await visitor.post('/change-id');
    expect(setCookieLinesOf(changed)[0]).toMatch(/Max-Age=2592000/);
    expect((await visitor.get('/members')).status).toBe(200);
  });

  it('asks remembered users for a fresh login on a fully authenticated page, and leads back', async () => {
    const visitor = await start();
    await visitor.submit('/login', REMEMBERED);
    expect((await visitor.open('/settings')).status).toBe(200);
    nowMs += DAY_MS;
    const refused = await visitor.open('/settings?tab=2');
    expect(refused.status).toBe(302);
    expect(refused.headers['location']).toMatch(/^\/login\?reason=insufficient&continue=/);
    const answer = await visitor.get('/settings');
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      401,
      { reason: 'insufficient' },
    ]);
    expect((await visitor.get('/members')).status).toBe(200);

    const login = await visitor.submit(refused.headers['location'] ?? '', REMEMBERED);
    expect(login.headers['location']).toBe('/settings?tab=2');
    expect((await visitor.open('/settings?tab=2')).status).toBe(200);
  });

  it('starts the authentication of remembered users who lack an authority, refuses it to others', async () => {
    const visitor = await start();
    await visitor.submit('/login', REMEMBERED);
    expect((await visitor.open('/admin')).status).toBe(403);
    nowMs += DAY_MS;
    const refused = await visitor.open('/admin');
    expect(refused.headers['location']).toMatch(/^\/login\?reason=insufficient&continue=/);
  });
});
