import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  type HttpException,
  Injectable,
  Module,
  type NestInterceptor,
  Post,
  Req,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { Redis } from 'ioredis';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginGuard,
  LogoutService,
  type Session,
  SessionRepositoryInterceptor,
} from 'nestjs-redis-session';
import { type Observable, catchError, of, throwError } from 'rxjs';
import request from 'supertest';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { type AppParts, PLATFORMS, startApp, type StartedApp } from '../support/apps/start-app.js';
import { eventually } from '../support/waiting/eventually.js';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { KIM, TestStrategy } from '../support/apps/login-parts.js';
import { openRawClient } from '../support/http/raw-client.js';
import { recordCommands } from '../support/redis/redis-monitor.js';
import { startRedis } from '../support/redis/redis-server.js';
import { sessionCookieLinesOf, sessionCookieOf } from '../support/http/session-cookie.js';
import { NAVIGATION, Visitor } from '../support/http/visitor.js';

/** What reached which part of the application. */
const seen: string[] = [];

@Catch()
@Injectable()
class RouteFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: HttpException, host: ArgumentsHost): void {
    seen.push(`filter ${exception.getStatus()}`);
    const response = host.switchToHttp().getResponse<object>();
    this.adapterHost.httpAdapter.reply(response, { fallback: true }, 503);
  }
}

@Injectable()
class OuterInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: HttpException) => {
        seen.push(`interceptor ${error.getStatus()}`);
        return throwError(() => error);
      }),
    );
  }
}

@Controller()
class PromisesController {
  constructor(private readonly logoutService: LogoutService) {}

  @Get('look')
  look(@CurrentSession() session: Session) {
    return { names: session.attributeNames };
  }

  @Post('set/:name')
  set(@CurrentSession() session: Session, @Req() { url }: { url: string }) {
    session.setAttribute(url, 'secret value');
    return { ok: true };
  }

  @Post('filtered')
  @UseFilters(RouteFilter)
  setFiltered(@CurrentSession() session: Session) {
    session.setAttribute<number>('filtered', 1);
    return { ok: true };
  }

  @Sse('events')
  events(@CurrentSession() session: Session): Observable<{ data: string }> {
    session.setAttribute<number>('sse', 1);
    return of({ data: 'one' }, { data: 'two' });
  }

  @Post('login')
  @UseGuards(LoginGuard('local'))
  @UseInterceptors(SessionRepositoryInterceptor)
  login() {
    return { loggedIn: true };
  }

  @Get('me')
  @Authenticated()
  me(@CurrentUser('username') username: string) {
    return { username };
  }

  @Post('logout')
  async logout(@Req() incoming: object) {
    await this.logoutService.logout(incoming);
    return { ok: true };
  }
}

describe.each(PLATFORMS)('the interceptor on %s', (platform) => {
  let server: RedisServer;
  let app: StartedApp;

  async function start(options: object, parts: AppParts = {}): Promise<void> {
    server = await startRedis();
    seen.length = 0;
    app = await startApp(platform, {
      options: { redis: server.url, commandTimeoutMs: 1000, ...options },
      controllers: [PromisesController],
      providers: [TestStrategy, { provide: APP_INTERCEPTOR, useClass: OuterInterceptor }],
      ...parts,
    });
  }

  afterEach(async () => {
    await app.close();
    await server.stop();
  });

  async function visitor(): Promise<string> {
    return sessionCookieOf(await request(app.url).post('/set/first'));
  }

  /** From now on Redis takes no writes. */
  async function refuseWrites(): Promise<void> {
    const admin = new Redis(server.url);
    await admin.config('SET', 'maxmemory', '1');
    await admin.quit();
  }

  it('has a failed save seen by the interceptors around it and the filter of the route', async () => {
    await start({ onStoreUnavailable: 'anonymous', touchIntervalSeconds: 60 });
    await refuseWrites();
    const response = await request(app.url).post('/filtered');
    expect([response.status, response.body]).toEqual([503, { fallback: true }]);
    expect(seen).toEqual(['interceptor 503', 'filter 503']);
  });

  it('left out, a failed save is answered by problem details that no part of the route sees', async () => {
    await start({ interceptor: false, onStoreUnavailable: 'anonymous' });
    await refuseWrites();
    const response = await request(app.url).post('/filtered');
    expect(response.status).toBe(503);
    expect(response.body).not.toEqual({ fallback: true });
    expect(seen).toEqual([]);
  });

  it('streams events of @Sse() one by one', async () => {
    await start({});
    const response = await request(app.url).get('/events');
    expect(response.text).toContain('data: one');
    expect(response.text).toContain('data: two');
    const stored = await request(app.url).get('/look').set('Cookie', sessionCookieOf(response));
    expect(stored.body).toEqual({ names: ['sse'] });
  });

  it('left out, refuses a login route that nothing would redirect', async () => {
    await start({});
    @Controller()
    class BareLogin {
      @Post('login')
      @UseGuards(LoginGuard('local'))
      login() {
        return {};
      }
    }
    @Module({ controllers: [BareLogin] })
    class Logins {}
    const options = { redis: server.url, interceptor: false };
    await expect(startApp(platform, { options, imports: [Logins] })).rejects.toThrow(
      'Cannot start: BareLogin.login logs in, and with interceptor: false nothing redirects afterwards. Put @UseInterceptors(SessionRepositoryInterceptor) on it.',
    );
  });

  describe.each([true, false])('with interceptor: %s', (interceptor) => {
    it('lets no byte leave before the session is saved', async () => {
      await start({ interceptor, commandTimeoutMs: 5000 });
      const cookie = await visitor();
      const client = await openRawClient(app.port);
      const admin = new Redis(server.url);
      await admin.client('PAUSE', 60_000, 'WRITE');
      client.send(
        `POST /set/second HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      let bytes = 0;
      client.socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
      await eventually(() => hasWaitingClient(admin));
      expect(bytes).toBe(0);
      await admin.client('UNPAUSE');
      expect((await client.response).toString()).toContain('HTTP/1.1 201');
      await admin.quit();
    });

    it('answers 503 when the save fails, and logs no id and no value', async () => {
      const logger = new LoggedLines();
      await start({ interceptor, logger, onStoreUnavailable: 'anonymous' });
      const cookie = await visitor();
      await refuseWrites();
      const response = await request(app.url).post('/set/second').set('Cookie', cookie);
      expect(response.status).toBe(503);
      expect(logger.text).not.toContain(cookie.split('=')[1]!.slice(0, 20));
      expect(logger.text).not.toContain('secret value');
    });

    it('keeps parallel changes of different attributes', async () => {
      await start({ interceptor });
      const cookie = await visitor();
      const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `/set/${name}`);
      await Promise.all(names.map((path) => request(app.url).post(path).set('Cookie', cookie)));
      const looked = await request(app.url).get('/look').set('Cookie', cookie);
      expect((looked.body as { names: string[] }).names.sort()).toEqual(
        [...names, '/set/first'].sort(),
      );
    });

    it('changes the id at login, redirects a browser, and never revives what logged out', async () => {
      await start({ interceptor });
      const kim = new Visitor(app.url);
      await kim.post('/set/first');
      const before = await kim.cookie();
      const login = await kim.submit('/login', KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/']);
      expect(await kim.cookie()).not.toBe(before);
      const thief = await kim.twin();
      expect((await kim.get('/me')).body).toEqual({ username: 'kim' });
      await kim.post('/logout');
      await thief.post('/set/again');
      expect((await thief.get('/me')).status).toBe(401);
    });

    it('answers a program that logs in with the result of the handler', async () => {
      await start({ interceptor });
      const login = await request(app.url).post('/login').send(KIM);
      expect([login.status, login.body]).toEqual([201, { loggedIn: true }]);
    });

    it('sends one command to read and two to change, and stores nothing for a visitor', async () => {
      await start({ interceptor });
      const cookie = await visitor();
      const recorded = await recordCommands(server.url);
      const count = async (act: () => PromiseLike<unknown>) => {
        await recorded.take();
        await act();
        return (await recorded.take()).length;
      };
      // Redis learns the scripts: ioredis sends the text of each once.
      await request(app.url).post('/set/x').set('Cookie', cookie);
      expect(await count(() => request(app.url).get('/look').set('Cookie', cookie))).toBe(1);
      expect(await count(() => request(app.url).post('/set/x').set('Cookie', cookie))).toBe(2);
      const anonymous = await request(app.url).get('/look').set(NAVIGATION);
      expect(sessionCookieLinesOf(anonymous)).toEqual([]);
      expect(await count(() => request(app.url).get('/look'))).toBe(0);
      await recorded.stop();
    });
  });
});

/** Whether a client waits until Redis takes writes again. */
async function hasWaitingClient(admin: Redis): Promise<boolean> {
  return / flags=[a-zA-Z]*b/.test(String(await admin.client('LIST')));
}
