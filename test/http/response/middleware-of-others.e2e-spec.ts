import { expressSession } from 'nestjs-redis-session/express-session';
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { Controller, Get, HttpCode, type INestApplication, Post, Req } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import flash from 'connect-flash';
import { type ExpressSession, redisSession } from 'nestjs-redis-session/express-session';
import supertest from 'supertest';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();

type NodeRequest = IncomingMessage & {
  session: ExpressSession;
  flash(type: string, message?: string): string[];
};
type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** Works as csurf does: a secret in the session, a token in the answer, which every POST has to bring back. */
const csrf: Middleware = (request, response, next) => {
  const { session } = request as NodeRequest;
  session['csrfSecret'] ??= randomUUID();
  response.setHeader('X-CSRF-Token', String(session['csrfSecret']));
  if (request.method === 'POST' && request.headers['x-csrf-token'] !== session['csrfSecret']) {
    response.statusCode = 403;
    response.end();
    return;
  }
  next();
};

/** Writes to every session, as middleware that counts visits does. */
const countVisits: Middleware = (request, _response, next) => {
  const { session } = request as NodeRequest;
  session['visits'] = Number(session['visits'] ?? 0) + 1;
  next();
};

@Controller()
class Pages {
  @Get('form')
  form(): string {
    return 'form';
  }

  @Post('form')
  @HttpCode(200)
  send(@Req() request: { raw?: NodeRequest } & NodeRequest): void {
    (request.raw ?? request).flash('info', 'sent');
  }

  @Get('messages')
  messages(@Req() request: { raw?: NodeRequest } & NodeRequest): string[] {
    return (request.raw ?? request).flash('info');
  }

  @Get('visits')
  visits(@Req() { session }: NodeRequest): number {
    return Number(session['visits']);
  }

  @Post('forget')
  @HttpCode(200)
  forget(@Req() request: { session: ExpressSession | null }): void {
    request.session = null;
  }
}

describe.each(PLATFORMS)('middleware for express-session on %s', (platform) => {
  const startApp = useApps(platform, redis, { controllers: [Pages] });

  const start = async (...middlewares: Middleware[]) => {
    const options = { features: [expressSession()], cookie: { maxAgeSeconds: 60, rolling: true } };
    const prepare = (app: INestApplication) => {
      app.use(redisSession(app));
      for (const middleware of middlewares) app.use(middleware);
    };
    return (await startApp(options, { prepare })).url;
  };

  it('finds its session: connect-flash shows a message once', async () => {
    const visitor = supertest.agent(await start(flash()));
    await visitor.post('/form').expect(200);
    await visitor.get('/messages').expect(200, ['sent']);
    await visitor.get('/messages').expect(200, []);
  });

  it('finds its session: a CSRF token is known to the next request only of its visitor', async () => {
    const url = await start(csrf, flash());
    const visitor = supertest.agent(url);
    const { headers } = await visitor.get('/form').expect(200);
    const token = headers['x-csrf-token'] ?? '';
    await visitor.post('/form').set('X-CSRF-Token', token).expect(200);
    await visitor.post('/form').expect(403);
    await supertest.agent(url).post('/form').set('X-CSRF-Token', token).expect(403);
  });

  it('is saved, and rolls the cookie on', async () => {
    const visitor = supertest.agent(await start(countVisits));
    await visitor.get('/form');
    const { headers, text } = await visitor.get('/visits').expect(200);
    expect(text).toBe('2');
    expect(String(headers['set-cookie'])).toContain('Max-Age=60;');
  });

  it('begins anew after req.session = null', async () => {
    const visitor = supertest.agent(await start(countVisits));
    await visitor.get('/form');
    await visitor.post('/forget').expect(200);
    await visitor.get('/visits').expect(200, '1');
  });

  it('leaves a visitor alone who has nothing to keep', async () => {
    const { headers } = await supertest(await start(flash())).get('/form');
    expect(headers['set-cookie']).toBeUndefined();
  });
});
