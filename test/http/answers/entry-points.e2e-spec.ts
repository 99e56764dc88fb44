import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BasicEntryPoint,
  DelegatingEntryPoint,
  LoginPageEntryPoint,
  ProblemEntryPoint,
} from 'nestjs-redis-session/http';
import { type SecurityOptions } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { FailingController } from '../../support/apps/failing-parts.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { Visitor } from '../../support/http/visitor.js';

const CHALLENGE = 'Basic realm="the vault", charset="UTF-8"';

describe.each(PLATFORMS)('AuthenticationEntryPoint on %s', (platform) => {
  let app: StartedApp;

  const start = async (security: SecurityOptions, load: 'eager' | 'lazy' = 'eager') => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, FailingController],
      options: { store: 'memory', load, security },
    });
    return new Visitor(app.url);
  };

  afterEach(() => app.close());

  it('is 401 for browsers, too, when there is no login page', async () => {
    const visitor = await start({});
    expect((await visitor.open('/members')).status).toBe(401);
    const failed = await visitor.submit('/login', { username: 'kim', password: 'wrong' });
    expect([failed.status, JSON.parse(failed.text)]).toMatchObject([
      401,
      { reason: 'bad-credentials' },
    ]);
  });

  it('asks for HTTP Basic credentials, but never a script', async () => {
    const visitor = await start({ authenticationEntryPoint: new BasicEntryPoint('the vault') });
    const page = await visitor.open('/members');
    expect([page.status, page.headers['www-authenticate']]).toEqual([401, CHALLENGE]);
    const script = await visitor.get('/members', { 'x-requested-with': 'XMLHttpRequest' });
    expect([script.status, script.headers['www-authenticate']]).toEqual([401, undefined]);
  });

  it('is chosen by the request', async () => {
    const visitor = await start({
      authenticationEntryPoint: new DelegatingEntryPoint(
        [
          [({ url }) => url.startsWith('/admin'), new BasicEntryPoint('the vault')],
          [
            ({ url }) => url.startsWith('/settings'),
            new LoginPageEntryPoint('https://id.example/'),
          ],
        ],
        new ProblemEntryPoint(),
      ),
    });
    expect((await visitor.open('/admin')).headers['www-authenticate']).toBe(CHALLENGE);
    const settings = await visitor.open('/settings');
    expect(settings.headers['location']).toMatch(/^https:\/\/id\.example\/\?continue=[\w-]{8}$/);
    expect((await visitor.open('/members')).status).toBe(401);
  });

  it('may be one of the application', async () => {
    const visitor = await start({
      authenticationEntryPoint: {
        commence: (exchange, reason) => {
          exchange.appendHeader('X-Reason', reason ?? 'none');
          exchange.answer({ statusCode: 418, body: 'short and stout' });
        },
      },
      accessDeniedHandler: {
        handle: (exchange, denial) =>
          exchange.answer({ statusCode: 404, body: JSON.stringify(denial) }),
      },
    });
    const answer = await visitor.open('/members');
    expect([answer.status, answer.text, answer.headers['x-reason']]).toEqual([
      418,
      'short and stout',
      'unauthenticated',
    ]);
    await visitor.post('/login', KIM);
    const hidden = await visitor.open('/admin');
    expect([hidden.status, JSON.parse(hidden.text)]).toEqual([
      404,
      { detail: 'You may not use this resource.', reason: 'denied' },
    ]);
  });

  it('does not send browsers in circles when the login page is protected itself', async () => {
    const visitor = await start({ loginPage: '/login', authorization: 'all' });
    expect((await visitor.open('/members')).headers['location']).toMatch(/^\/login/);
    expect((await visitor.open('/login?continue=abc')).status).toBe(401);
  });

  describe("with load: 'lazy'", () => {
    it('knows the user also when nobody has asked for him before', async () => {
      const visitor = await start({ loginPage: '/login' }, 'lazy');
      expect((await visitor.get('/fail/handler?how=denied')).status).toBe(401);
      await visitor.post('/login', KIM);
      expect((await visitor.get('/fail/handler?how=denied')).status).toBe(403);
      expect((await visitor.open('/fail/handler?how=denied')).status).toBe(403);
      const again = await visitor.open('/fail/later?how=authentication');
      expect(again.headers['location']).toMatch(/^\/login\?reason=insufficient&continue=/);
    });
  });
});
