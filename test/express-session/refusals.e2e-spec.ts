import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Post, Req } from '@nestjs/common';
import express, { type RequestHandler } from 'express';
import expressSession from 'express-session';
import {
  type ExpressSession,
  expressSession as feature,
  session,
} from 'nestjs-redis-session/express-session';
import request from 'supertest';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { PLATFORMS, startApp, type StartedApp } from '../support/apps/start-app.js';
import { Visitor } from '../support/http/visitor.js';

interface WithSession {
  session: ExpressSession & Record<string, unknown>;
}

const ACTIONS: Readonly<Record<string, (request: WithSession) => unknown>> = {
  'assigns an object': (request) => Object.assign(request, { session: { cart: ['tea'] } }),
  'sets a property': ({ session }) => Object.assign(session, { cart: ['tea'] }),
  'calls regenerate()': ({ session }) => session.regenerate(),
  'assigns null': (request) => Object.assign(request, { session: null }),
  'sets maxAge to a text': ({ session }) => Object.assign(session.cookie, { maxAge: '1 day' }),
  'sets maxAge to a number': ({ session }) => Object.assign(session.cookie, { maxAge: 86_400_000 }),
  'sets maxAge to a Date': ({ session }) =>
    Object.assign(session.cookie, { maxAge: new Date(Date.now() + 86_400_000) }),
  'sets an attribute of the library': ({ session }) =>
    Object.assign(session, { SECURITY_CONTEXT: {} }),
  'sets another attribute': ({ session }) => Object.assign(session, { securityContext: {} }),
};

@Controller()
class ActionController {
  @Post('act')
  async act(
    @Req() request: WithSession & { readonly body: { readonly action: string } },
  ): Promise<string> {
    await ACTIONS[request.body.action]?.(request);
    return 'done';
  }
}

describe.each(PLATFORMS)('req.session on %s', (platform) => {
  const log = new LoggedLines();
  let app: StartedApp;

  afterEach(async () => {
    await app.close();
    log.clear();
  });

  it.each([
    [
      'req.session must be null (which destroys the session) or left as it is, got another value. Set its properties, or call regenerate().',
      'assigns an object',
      ['sets a property', 'calls regenerate()', 'assigns null'],
    ],
    [
      'maxAge must be a number or Date',
      'sets maxAge to a text',
      ['sets maxAge to a number', 'sets maxAge to a Date'],
    ],
    [
      'Cannot change req.session.SECURITY_CONTEXT: the library itself keeps it. Use LoginService, LogoutService or another name.',
      'sets an attribute of the library',
      ['sets another attribute'],
    ],
  ])('fails with: %s', async (sentence, wrong, right) => {
    app = await startApp(platform, {
      log,
      controllers: [ActionController],
      options: { store: 'memory', features: [feature()], logger: log },
    });
    const statusOf = async (action: string): Promise<number> =>
      (await new Visitor(app.url).post('/act', { action })).status;
    expect(await statusOf(wrong)).toBe(500);
    expect(log.text).toContain(`${sentence}\n`);
    log.clear();
    for (const action of right) expect(await statusOf(action)).toBe(201);
    expect(log.text).not.toContain('Error');
  });
});

describe('session() without a secret', () => {
  const give: RequestHandler = (request, _response, next) => {
    Object.assign(request, { secret: 's3cret' });
    next();
  };
  const shared = { resave: false, saveUninitialized: false };

  it.each<[string, boolean, RequestHandler[], string | undefined]>([
    ['fails each request', false, [], undefined],
    ['works with req.secret', true, [give], undefined],
    ['works with the option', true, [], 's3cret'],
  ])('%s', async (_title, works, before, secret) => {
    const log = new LoggedLines();
    const server = express()
      .use(
        ...before,
        session({ ...shared, secret, store: new expressSession.MemoryStore(), logger: log }),
      )
      .get('/', (_request, response) => void response.send('ok'))
      .use((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
        response.status(500).send(error.message);
      })
      .listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const { text } = await request(`http://127.0.0.1:${port}`).get('/');
      expect(text).toBe(
        works
          ? 'ok'
          : 'secret option required for sessions: pass secret, or set req.secret before.',
      );
    } finally {
      server.close();
    }
    expect(log.text.includes('secret is missing')).toBe(secret === undefined);
  });
});
