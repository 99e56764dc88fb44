import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  Injectable,
  type Provider,
  UseFilters,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { Authenticated, ExceptionTranslator } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../support/apps/start-app.js';
import { FailingController } from '../support/apps/failing-parts.js';
import { KIM, LOGIN_PARTS } from '../support/apps/login-parts.js';
import { Visitor } from '../support/http/visitor.js';

/** Answers in a way of its own. */
@Injectable()
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

type FilterType = typeof UnawareFilter | typeof TranslatingFilter;

@UseFilters(UnawareFilter)
@Controller('own')
class FilteredController {
  @Get()
  @Authenticated()
  page(): string {
    return 'the page';
  }
}

describe.each(PLATFORMS)('filters of the application on %s', (platform) => {
  let app: StartedApp;

  const start = async (type: FilterType, isProvided: boolean) => {
    const provider: Provider = {
      provide: isProvided ? APP_FILTER : type,
      useFactory: (host: HttpAdapterHost, translator: ExceptionTranslator) =>
        new type(host, translator),
      inject: [HttpAdapterHost, ExceptionTranslator],
    };
    app = await startApp(platform, {
      controllers: [...LOGIN_PARTS.controllers, FailingController, FilteredController],
      providers: [...LOGIN_PARTS.providers, provider],
      options: { store: 'memory', security: { loginPage: '/login' } },
      prepare: (nest) => {
        if (!isProvided) nest.useGlobalFilters(nest.get(type));
      },
    });
    return new Visitor(app.url);
  };

  afterEach(() => app.close());

  describe.each([
    ['APP_FILTER', true],
    ['useGlobalFilters', false],
  ])('given by %s', (_way, isProvided) => {
    it('answer everything but security exceptions when they call the ExceptionTranslator', async () => {
      const visitor = await start(TranslatingFilter, isProvided);
      const bug = await visitor.get('/fail/handler?how=bug');
      expect([bug.status, bug.body]).toEqual([500, { own: 500 }]);
      const missing = await visitor.get('/missing');
      expect([missing.status, missing.body]).toEqual([404, { own: 404 }]);

      const page = await visitor.open('/members?tab=2');
      expect(page.status).toBe(302);
      expect(page.headers['location']).toMatch(/^\/login\?continue=/);
      const login = await visitor.submit(page.headers['location'] ?? '', KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/members?tab=2']);
      const denied = await visitor.get('/admin');
      expect(denied.headers['content-type']).toMatch(/^application\/problem\+json/);
    });

    it('answer what they name', async () => {
      const visitor = await start(HttpExceptionFilter, isProvided);
      const conflict = await visitor.get('/fail/handler?how=conflict');
      expect([conflict.status, conflict.body]).toEqual([409, { own: 409 }]);
      const bug = await visitor.get('/fail/handler?how=bug');
      expect([bug.status, bug.body]).toMatchObject([500, { statusCode: 500 }]);
    });
  });

  describe('that do not know of the ExceptionTranslator', () => {
    it('come after the translation when they are given by APP_FILTER', async () => {
      const visitor = await start(UnawareFilter, true);
      expect((await visitor.open('/members')).status).toBe(302);
      const bug = await visitor.get('/fail/handler?how=bug');
      expect([bug.status, bug.body]).toEqual([500, { own: 500 }]);
    });

    it('get exceptions of Nest with their status otherwise, and the login still leads back', async () => {
      const visitor = await start(UnawareFilter, false);
      const refused = await visitor.open('/members');
      expect([refused.status, refused.body]).toEqual([401, { own: 401 }]);
      const login = await visitor.submit('/login', KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/']);
      const denied = await visitor.get('/admin');
      expect([denied.status, denied.body]).toEqual([403, { own: 403 }]);
    });

    it('answer for their own controllers alone', async () => {
      const visitor = await start(TranslatingFilter, true);
      const refused = await visitor.open('/own');
      expect([refused.status, refused.body]).toEqual([401, { own: 401 }]);
      expect((await visitor.open('/members')).status).toBe(302);
    });
  });
});
