import { describe, expect, it } from '@jest/globals';
import { type SecurityOptions } from 'nestjs-redis-session';
import { TestClock } from 'nestjs-redis-session/testing';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

describe.each(PLATFORMS)('A session that somebody has left open, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  const clock = new TestClock();

  const logIn = async (user: object, security: SecurityOptions) => {
    const { url } = await start(
      { clock: clock.now, security: { loginPage: '/login', ...security } },
      LOGIN_PARTS,
    );
    const visitor = new Visitor(url);
    await visitor.post('/login', user);
    return visitor;
  };
  const ages = { fullAuthenticationSeconds: 600 };

  it('opens sensitive pages as long as it lives by default', async () => {
    const kim = await logIn(KIM, {});
    for (let minutes = 0; minutes < 120; minutes += 20) {
      expect((await kim.get('/settings')).status).toBe(200);
      clock.advanceSeconds(20 * 60);
    }
  });

  it('opens no sensitive page when the login is too old, however active the user is', async () => {
    const kim = await logIn(KIM, ages);
    clock.advanceSeconds(599);
    expect((await kim.get('/settings')).status).toBe(200);
    clock.advanceSeconds(1);
    expect((await kim.get('/members')).status).toBe(200);
    const refused = await kim.get('/settings');
    expect([refused.status, refused.body]).toEqual([
      401,
      expect.objectContaining({ reason: 'insufficient' }),
    ]);
    const page = await kim.open('/settings');
    expect(page.headers['location']).toMatch(/^\/login\?.*reason=insufficient/);
  });

  it('opens them again after another login, which leads back to the page', async () => {
    const kim = await logIn(KIM, ages);
    clock.advanceSeconds(600);
    const { headers } = await kim.open('/settings');
    const query = new URL(String(headers['location']), kim.url).search;
    const login = await kim.submit(`/login${query}`, KIM);
    const there = new URL(String(login.headers['location']), kim.url);
    expect(there.pathname).toBe('/settings');
    expect((await kim.get('/settings')).status).toBe(200);
  });

  it('is still that of a known user, who is denied what he may not, and not asked to log in', async () => {
    const kim = await logIn(KIM, ages);
    clock.advanceSeconds(600);
    expect((await kim.get('/admin')).status).toBe(403);
    const admin = await logIn(ADMIN, ages);
    clock.advanceSeconds(600);
    expect((await admin.get('/admin')).status).toBe(200);
  });

  it('is asked sooner of both when the user is remembered', async () => {
    const remembered = { ...KIM, 'remember-me': 'on' };
    const kim = await logIn(remembered, ages);
    clock.advanceSeconds(600);
    expect((await kim.get('/settings')).status).toBe(401);
    const lee = await logIn(remembered, {
      ...ages,
      rememberMe: { fullAuthenticationSeconds: 60 },
    });
    clock.advanceSeconds(60);
    expect((await lee.get('/settings')).status).toBe(401);
  });
});
