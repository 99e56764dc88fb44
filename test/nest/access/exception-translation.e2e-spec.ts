import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { FailingController, FailingMiddlewareModule } from '../../support/apps/failing-parts.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { Visitor } from '../../support/http/visitor.js';

const PLACES = [
  ['a guard', 'guard'],
  ['a pipe', 'pipe'],
  ['a handler', 'handler'],
  ['a promise', 'later'],
  ['an interceptor', 'interceptor'],
  ['a middleware', 'middleware'],
];

describe.each(PLATFORMS)('ExceptionTranslationFilter on %s', (platform) => {
  let app: StartedApp;
  let anonymous: Visitor;
  let kim: Visitor;

  beforeAll(async () => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, FailingController],
      imports: [FailingMiddlewareModule],
      options: { store: 'memory', security: { loginPage: '/login' } },
      prepare: (nest) => nest.enableCors({ origin: 'https://app.example', credentials: true }),
    });
    anonymous = new Visitor(app.url);
    kim = new Visitor(app.url);
    await kim.post('/login', KIM);
  });

  afterAll(() => app.close());

  describe.each(PLACES)('an exception of %s', (_title, place) => {
    const path = (how: string) => `/fail/${place}?how=${how}`;

    it('starts the authentication of an anonymous visitor who is denied', async () => {
      const page = await new Visitor(app.url).open(path('denied'));
      expect(page.status).toBe(302);
      expect(page.headers['location']).toMatch(/^\/login\?continue=[\w-]{8}$/);
      const answer = await anonymous.get(path('denied'));
      expect(answer.status).toBe(401);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(JSON.parse(answer.text)).toEqual({
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: 'Log in to use this resource.',
        reason: 'unauthenticated',
      });
    });

    it('answers 403 to a user who is denied', async () => {
      const page = await kim.open(path('denied'));
      expect(page.status).toBe(403);
      expect(page.headers['content-type']).toMatch(/^text\/html/);
      const answer = await kim.get(path('denied'));
      expect(answer.status).toBe(403);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.text).not.toContain('secret');
    });

    it('starts the authentication of a user for an AuthenticationException, and keeps him logged in', async () => {
      const page = await kim.open(path('authentication'));
      expect(page.status).toBe(302);
      expect(page.headers['location']).toMatch(/^\/login\?reason=insufficient&continue=/);
      expect((await kim.get(path('authentication'))).status).toBe(401);
      expect((await kim.get('/members')).status).toBe(200);
    });

    it('finds security exceptions among the causes, an authentication before a denial', async () => {
      expect((await kim.get(path('cause-authentication'))).status).toBe(401);
      expect((await kim.get(path('cause-denied'))).status).toBe(403);
      expect((await anonymous.get(path('cause-denied'))).status).toBe(401);
      expect((await kim.get(path('denied-by-authentication'))).status).toBe(401);
    });

    it('leaves other exceptions as they are', async () => {
      expect((await kim.get(path('cyclic'))).status).toBe(500);
      expect((await kim.get(path('bug'))).status).toBe(500);
      const conflict = await kim.get(path('conflict'));
      expect([conflict.status, conflict.body]).toEqual([
        409,
        { statusCode: 409, message: 'taken', error: 'Conflict' },
      ]);
      const unauthorized = await anonymous.open(path('unauthorized'));
      expect([unauthorized.status, unauthorized.body]).toMatchObject([
        401,
        { message: 'of the application' },
      ]);
    });

    it('keeps the headers that the platform has set: those of CORS', async () => {
      const headers = { origin: 'https://app.example' };
      for (const answer of [
        await anonymous.get(path('denied'), headers),
        await kim.get(path('denied'), headers),
        await new Visitor(app.url).open(path('denied'), headers),
      ]) {
        expect(answer.headers['access-control-allow-origin']).toBe('https://app.example');
        expect(answer.headers['access-control-allow-credentials']).toBe('true');
        expect(answer.headers['cache-control']).toBe('no-store');
      }
    });
  });

  describe('when the response has begun', () => {
    it('breaks it off, so that half an answer does not look like a whole one', async () => {
      await expect(anonymous.get('/fail/committed')).rejects.toThrow(/aborted|socket hang up/);
    });

    it('leaves a complete one alone', async () => {
      const answer = await kim.get('/fail/complete');
      expect([answer.status, answer.text]).toEqual([200, 'all of it']);
    });
  });

  it('sends a form on to the login page by 303, and does not keep it', async () => {
    const page = await new Visitor(app.url).submit('/fail/handler?how=denied');
    expect([page.status, page.headers['location']]).toEqual([303, '/login']);
  });

  it.each([
    ['a script that says so', { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' }],
    ['fetch of a browser', { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    ['an EventSource', { accept: 'text/event-stream' }],
    ['curl', { accept: '*/*' }],
    ['an image', { accept: 'image/*,*/*', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a prefetch', { accept: 'text/html', 'sec-purpose': 'prefetch' }],
  ])('answers 401 to %s, and keeps nothing for it', async (_who, headers) => {
    const visitor = new Visitor(app.url);
    const answer = await visitor.get('/members', headers);
    expect(answer.status).toBe(401);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers).not.toHaveProperty('www-authenticate');
  });
});
