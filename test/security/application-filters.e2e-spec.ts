import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Injectable,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { ExceptionTranslator } from 'nestjs-redis-session';
import { PLATFORMS, type StartedApp, startApp } from '../support/apps.js';
import { FailingController } from '../support/failing-parts.js';
import { KIM, LOGIN_PARTS } from '../support/login-parts.js';
import { TestVisitor } from '../support/test-visitor.js';

/** Answers in a way of its own. */
class AnsweringFilter implements ExceptionFilter {
  constructor(protected readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), { own: status }, status);
  }
}

@Catch()
@Injectable()
class UnawareFilter extends AnsweringFilter {}

@Catch(HttpException)
@Injectable()
class HttpExceptionFilter extends AnsweringFilter {}

@Catch()
@Injectable()
class TranslatingFilter extends AnsweringFilter {
  constructor(
    adapterHost: HttpAdapterHost,
    private readonly translator: ExceptionTranslator,
  ) {
    super(adapterHost);
  }

  override catch(exception: unknown, host: ArgumentsHost): void {
    if (!this.translator.translate(exception, host)) super.catch(exception, host);
  }
}

const filter = (type: typeof UnawareFilter | typeof TranslatingFilter): Provider => ({
  provide: APP_FILTER,
  useFactory: (host: HttpAdapterHost, translator: ExceptionTranslator) =>
    new type(host, translator),
  inject: [HttpAdapterHost, ExceptionTranslator],
});

describe.each(PLATFORMS)('filters of the application on %s', (platform) => {
  let app: StartedApp;

  const start = async (type: typeof UnawareFilter | typeof TranslatingFilter) => {
    app = await startApp(platform, {
      controllers: [...LOGIN_PARTS.controllers, FailingController],
      providers: [...LOGIN_PARTS.providers, filter(type)],
      options: { store: 'memory', security: { loginPage: '/login' } },
    });
    return new TestVisitor(app.url);
  };

  afterEach(() => app.close());

  describe('a catch-all filter that calls the ExceptionTranslator', () => {
    it('answers everything but security exceptions', async () => {
      const visitor = await start(TranslatingFilter);
      const bug = await visitor.get('/fail/handler?how=bug');
      expect([bug.status, bug.body]).toEqual([500, { own: 500 }]);
      const missing = await visitor.get('/missing');
      expect([missing.status, missing.body]).toEqual([404, { own: 404 }]);

      const page = await visitor.open('/members?tab=2');
      expect([page.status, page.headers['location']]).toEqual([
        302,
        expect.stringMatching(/^\/login\?continue=/),
      ]);
      const login = await visitor.submit(page.headers['location'] ?? '', KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/members?tab=2']);
      expect((await visitor.get('/admin')).status).toBe(403);
    });
  });

  describe('a catch-all filter that does not know of the ExceptionTranslator', () => {
    it('gets exceptions of Nest with the right status, and the login still leads back', async () => {
      const visitor = await start(UnawareFilter);
      const refused = await visitor.open('/members');
      expect([refused.status, refused.body]).toEqual([401, { own: 401 }]);
      const login = await visitor.submit('/login', KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/']);
      const denied = await visitor.get('/admin');
      expect([denied.status, denied.body]).toEqual([403, { own: 403 }]);
    });
  });

  describe('a filter for HttpException', () => {
    it('gets security exceptions, too, when the application puts it before the translation', async () => {
      const visitor = await start(HttpExceptionFilter);
      const answer = await visitor.get('/fail/handler?how=conflict');
      expect([answer.status, answer.body]).toEqual([409, { own: 409 }]);
      const bug = await visitor.get('/fail/handler?how=bug');
      expect([bug.status, bug.body]).toMatchObject([500, { statusCode: 500 }]);
    });
  });
});
