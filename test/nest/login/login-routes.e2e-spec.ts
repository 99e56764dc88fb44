import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BadGatewayException,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  Inject,
  Injectable,
  type NestInterceptor,
  Post,
  Redirect,
  Res,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { CurrentUser, LoginGuard, RequireAuthorities } from 'nestjs-redis-session';
import { catchError, type Observable, tap, throwError } from 'rxjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { KIM, LoginController, TestStrategy } from '../../support/apps/login-parts.js';
import { Visitor } from '../../support/http/visitor.js';

/** Of the documentation of Nest: a guard with a name, here with a dependency and an override of its own. */
@Injectable()
class LocalGuard extends LoginGuard('local') {
  @Inject(TestStrategy) private readonly strategy!: TestStrategy;

  override canActivate(context: ExecutionContext): ReturnType<CanActivateOf> {
    if (!(this.strategy instanceof TestStrategy)) throw new TypeError('no strategy');
    return super.canActivate(context);
  }
}

type CanActivateOf = InstanceType<ReturnType<typeof LoginGuard>>['canActivate'];

class PlainLocalGuard extends LoginGuard('local') {}

@Controller('by')
class RoutesController {
  @Post('subclass')
  @HttpCode(200)
  @UseGuards(LocalGuard)
  bySubclass(@CurrentUser('username') name: string): object {
    return { name };
  }

  @Post('instance')
  @HttpCode(200)
  @UseGuards(new PlainLocalGuard())
  byInstance(@CurrentUser('username') name: string): object {
    return { name };
  }

  @Get('other')
  other(): string {
    return 'not a login';
  }
}

@Controller('by/class')
@UseGuards(LoginGuard('local'))
@RequireAuthorities('NOBODY')
class GuardedController {
  @Post()
  @HttpCode(200)
  login(@CurrentUser('username') name: string): object {
    return { name };
  }
}

class InheritingController extends GuardedController {}
Controller('by/inherited-class')(InheritingController);

interface PlatformResponse {
  status(status: number): PlatformResponse;
  header(name: string, value: string): PlatformResponse;
  send(body: string): void;
}

function redirectBy(response: PlatformResponse): void {
  response.status(302).header('Location', '/own').send('');
}

@Controller('answers')
class AnsweringController {
  @Post('itself')
  @UseGuards(LoginGuard('local'))
  itself(@Res() response: PlatformResponse): void {
    redirectBy(response);
  }

  @Post('late')
  @UseGuards(LoginGuard('local'))
  late(@Res() response: PlatformResponse): void {
    setImmediate(redirectBy, response);
  }

  @Post('redirect')
  @UseGuards(LoginGuard('local'))
  @Redirect('/own', 307)
  redirect(): void {
    // The decorator says it all.
  }

  @Post('passthrough')
  @UseGuards(LoginGuard('local'))
  passthrough(@Res({ passthrough: true }) response: PlatformResponse): object {
    response.header('X-Own', 'header');
    return { own: 'result' };
  }
}

@Controller('decorated')
class DecoratedController {
  @Post('1')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  one(@CurrentUser('username') name: string): object {
    return { name };
  }

  @Post('2')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  two(@CurrentUser('username') name: string): object {
    return { name };
  }
}

/** Nest names a decorator of parameters by a random hexadecimal text; here it begins with `digit`. */
function nameDecorators(handler: keyof DecoratedController, digit: number): void {
  const parameters = Object.entries(
    Reflect.getMetadata(ROUTE_ARGS_METADATA, DecoratedController, handler) as object,
  );
  const named = parameters.map(([text, value]): [string, unknown] => [
    text.replace(/^\w{2}/, `${digit}a`),
    value,
  ]);
  Reflect.defineMetadata(
    ROUTE_ARGS_METADATA,
    Object.fromEntries(named),
    DecoratedController,
    handler,
  );
}
nameDecorators('one', 1);
nameDecorators('two', 2);

const CONTROLLERS = [
  LoginController,
  DecoratedController,
  RoutesController,
  GuardedController,
  InheritingController,
  AnsweringController,
];
const BY = ['subclass', 'instance', 'class', 'inherited-class'];

describe.each(PLATFORMS)('routes that log in, on %s', (platform) => {
  const log = new LoggedLines();
  let app: StartedApp;

  const start = async (
    authorization: 'all' | 'annotated',
    interceptors: Type<NestInterceptor>[] = [],
  ) => {
    log.clear();
    app = await startApp(platform, {
      controllers: CONTROLLERS,
      providers: [
        TestStrategy,
        ...interceptors.map((useClass) => ({ provide: APP_INTERCEPTOR, useClass })),
      ],
      options: { store: 'memory', security: { loginPage: '/login', authorization } },
      prepare: (nest) => nest.useLogger(log),
    });
    return new Visitor(app.url);
  };

  afterEach(() => app.close());

  describe.each(BY)('LoginGuard by %s', (way) => {
    it.each(['all', 'annotated'] as const)(
      "answers JSON with the handler's result, with authorization '%s'",
      async (authorization) => {
        const visitor = await start(authorization);
        const login = await visitor.post(`/by/${way}`, KIM);
        expect([login.status, login.body]).toEqual([200, { name: 'kim' }]);
        expect((await visitor.get('/members')).status).toBe(200);
      },
    );

    it.each(['all', 'annotated'] as const)(
      "leads a form back to the page, with authorization '%s'",
      async (authorization) => {
        const visitor = await start(authorization);
        const page = await visitor.open('/members?tab=2');
        const query = page.headers['location']?.replace('/login', '') ?? '';
        const login = await visitor.submit(`/by/${way}${query}`, KIM);
        expect([login.status, login.headers['location']]).toEqual([303, '/members?tab=2']);
      },
    );

    it('refuses who has no right password, and opens no other route', async () => {
      const visitor = await start('all');
      expect((await visitor.post(`/by/${way}`, { ...KIM, password: 'no' })).status).toBe(401);
      const form = await visitor.submit(`/by/${way}`, { ...KIM, password: 'no' });
      expect(form.headers['location']).toBe('/login?reason=bad-credentials');
      expect((await visitor.get('/by/other')).status).toBe(401);
      expect((await visitor.get('/members')).status).toBe(401);
    });
  });

  describe('interceptors of the application', () => {
    const seen: unknown[] = [];

    @Injectable()
    class ErrorsInterceptor implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(
          tap({ error: (error: unknown) => seen.push(error) }),
          catchError(() => throwError(() => new BadGatewayException())),
        );
      }
    }

    afterEach(() => {
      seen.length = 0;
    });

    it('see no error in a login by a form', async () => {
      const visitor = await start('annotated', [ErrorsInterceptor]);
      const login = await visitor.submit('/login', KIM);
      expect([login.status, login.headers['location'], login.text]).toEqual([303, '/', '']);
      expect(seen).toEqual([]);
    });
  });

  describe('a handler', () => {
    it.each(['itself', 'late'])('that answers %s has the last word', async (way) => {
      const visitor = await start('annotated');
      const login = await visitor.submit(`/answers/${way}`, KIM);
      expect([login.status, login.headers['location']]).toEqual([302, '/own']);
      expect((await visitor.get('/members')).status).toBe(200);
      expect(log.text).not.toMatch(/Cannot|Error|already/);
    });

    it.each([1, 2])(
      'is led back from, whatever Nest calls the decorators of its parameters (%s)',
      async (digit) => {
        const visitor = await start('annotated');
        const login = await visitor.submit(`/decorated/${digit}`, KIM);
        expect([login.status, login.headers['location']]).toEqual([303, '/']);
      },
    );

    it.each(['redirect', 'passthrough'])('that has a %s is led back from, too', async (way) => {
      const visitor = await start('annotated');
      const login = await visitor.submit(`/answers/${way}`, KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/']);
    });
  });
});
