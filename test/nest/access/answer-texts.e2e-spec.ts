import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import {
  AccessDeniedException,
  CurrentSession,
  LoginService,
  SessionEncodingError,
  SessionInvalidatedError,
  SessionLimitError,
  SessionStoreError,
  type RedisSessionModuleOptions,
  type SecurityOptions,
  type Session,
  SessionRegistry,
  SessionRepository,
} from 'nestjs-redis-session';
import { type HttpExchange } from 'nestjs-redis-session/http';
import { MapSessionRepository, type SessionStore } from 'nestjs-redis-session/store';
import { problemOf } from '../../../libs/redis-session/src/http/request/failures.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { type StartedApp, startApp } from '../../support/apps/start-app.js';
import { Visitor } from '../../support/http/visitor.js';

@Controller('shop')
class ShopController {
  constructor(
    @Inject(SessionRepository) private readonly repository: SessionRepository,
    private readonly logins: LoginService,
  ) {}

  @Post('cart')
  setCart(@CurrentSession() session: Session, @Req() { body }: { readonly body: object }): string {
    session.setAttribute<object>('cart', body);
    return 'kept';
  }

  /** Another request logs the user out at the same time. */
  @Post('renew')
  async renew(@CurrentSession() session: Session): Promise<string> {
    if (!session.isNew) await this.repository.deleteById(session.id);
    session.setAttribute<boolean>('isRenewed', true);
    session.changeSessionId();
    return 'renewed';
  }

  @Post('login-by-hand')
  async login(@Req() request: { readonly body: object }): Promise<string> {
    await this.logins.login(request, request.body);
    return 'logged in';
  }

  /** Refuses before it sends, or too late. */
  @Get('sent/:isFirst')
  send(@Param('isFirst') isFirst: string, @Res() response: ServerResponse): void {
    if (isFirst === 'true') throw new AccessDeniedException();
    response.write('half');
    throw new AccessDeniedException();
  }

  @Post('owner')
  own(@CurrentSession() session: Session): string {
    session.setAttribute<string>('owner', 'kim');
    return 'owned';
  }
}

let isStoreDown: boolean;

class FailingRepository extends MapSessionRepository {
  protected override load(
    ...args: Parameters<MapSessionRepository['load']>
  ): ReturnType<MapSessionRepository['load']> {
    if (isStoreDown) throw new Error('out of order');
    return super.load(...args);
  }
}

const failingStore: SessionStore = {
  name: 'failing',
  createRepository: (options) => new FailingRepository(options),
};

describe('What a client is told', () => {
  const log = new LoggedLines();
  let nowMs: number;
  let app: StartedApp;
  let kim: Visitor;

  beforeEach(() => {
    nowMs = Date.now();
    isStoreDown = false;
  });

  afterEach(() => app.close());

  const start = async (options: RedisSessionModuleOptions = {}): Promise<void> => {
    app = await startApp('express', {
      controllers: [...LOGIN_PARTS.controllers, ShopController],
      providers: LOGIN_PARTS.providers,
      log,
      options: { store: 'memory', logger: log, clock: () => nowMs, ...options },
    });
    kim = new Visitor(app.url);
  };

  const logIn = async (): Promise<number> => (await kim.post('/login', KIM)).status;
  const problem = (detail: string, reason?: string): object =>
    expect.objectContaining({ detail, ...(reason !== undefined && { reason }) });
  const body = async (path: string): Promise<unknown> => (await kim.get(path)).body;

  it('is to log in again for a page that needs a fresh login', async () => {
    await start({ security: { fullAuthenticationSeconds: 60 } });
    await logIn();
    nowMs += 61_000;
    expect(await body('/settings')).toEqual(
      problem('Log in again to use this resource.', 'insufficient'),
    );
    await logIn();
    expect(await body('/settings')).toEqual({ page: 'settings' });
  });

  it('is to log in again after the session has ended', async () => {
    await start();
    await logIn();
    nowMs += 1_801_000;
    expect(await body('/members')).toEqual(
      problem('The session has ended. Log in again.', 'session-ended'),
    );
    await logIn();
    expect(await body('/members')).toMatchObject({ page: 'members' });
  });

  it('is to log in again after being signed out elsewhere', async () => {
    await start({ repository: 'indexed' });
    await logIn();
    await app.app.get(SessionRegistry).expireAll('kim');
    expect(await body('/members')).toEqual(
      problem('You were signed out elsewhere. Log in again.', 'signed-out'),
    );
    await logIn();
    expect(await body('/members')).toMatchObject({ page: 'members' });
  });

  const FULL =
    'Your account is in use elsewhere, and has as many sessions as allowed. Log out there, then log in again.';

  it('is to log out elsewhere when a newer login has ended the session', async () => {
    await start({ repository: 'indexed', indexed: { maximumSessions: 1 } });
    await logIn();
    const elsewhere = new Visitor(app.url);
    await elsewhere.post('/login', KIM);
    expect(await body('/members')).toEqual(problem(FULL, 'maximum-sessions'));
    await app.app.get(SessionRegistry).expireAll('kim');
    await logIn();
    expect(await body('/members')).toMatchObject({ page: 'members' });
  });

  const indexed = { maximumSessions: 1, maximumSessionsPolicy: 'reject-login' } as const;

  it('is to log out elsewhere when a login is refused', async () => {
    await start({ repository: 'indexed', indexed });
    await new Visitor(app.url).post('/login', KIM);
    const refused = await kim.post('/login', KIM);
    expect([refused.status, refused.body]).toEqual([401, problem(FULL, 'maximum-sessions')]);
    await app.app.get(SessionRegistry).expireAll('kim');
    expect(await logIn()).toBe(200);
  });

  it('is to log out elsewhere when a session that somebody else would own is refused', async () => {
    await start({
      repository: 'indexed',
      indexed: { ...indexed, principalName: (session) => session.getAttribute('owner') },
      security: false,
    });
    await new Visitor(app.url).post('/shop/owner');
    const refused = await kim.post('/shop/owner');
    const message = 'There are as many sessions of this user as allowed. Log out elsewhere.';
    expect(refused.body).toEqual({ statusCode: 401, error: 'Unauthorized', message });
    await app.app.get(SessionRegistry).expireAll('kim');
    expect((await kim.post('/shop/owner')).status).toBe(201);
  });

  it('is to try again after a wrong password', async () => {
    await start();
    const wrong = await kim.post('/login', { ...KIM, password: 'wrong' });
    expect(wrong.body).toEqual(problem('The login failed. Try again.', 'bad-credentials'));
    expect(await logIn()).toBe(200);
  });

  it('is that the user may not, as a page or as JSON', async () => {
    await start();
    await logIn();
    const text = 'You may not use this resource.';
    expect(await body('/admin')).toEqual(problem(text, 'denied'));
    const page = await kim.open('/admin');
    expect([page.status, page.text]).toEqual([403, expect.stringContaining(`<p>${text}</p>`)]);
    await kim.post('/login', ADMIN);
    expect(await body('/admin')).toEqual({ page: 'admin' });
  });

  it('is to log in again when another request has logged out meanwhile', async () => {
    await start({ security: false });
    await kim.post('/shop/login-by-hand', KIM);
    const { body: told } = await kim.post('/shop/renew');
    const message = 'The session has ended meanwhile. Log in again.';
    expect(told).toEqual({ statusCode: 401, error: 'Unauthorized', message });
    expect((await kim.post('/shop/login-by-hand', KIM)).status).toBe(201);
    expect((await kim.post('/shop/cart', { tea: 1 })).status).toBe(201);
  });

  it('is to try again while the store fails', async () => {
    await start({ store: failingStore });
    await logIn();
    isStoreDown = true;
    const failed = await kim.get('/members');
    const message = 'The session is not available at the moment. Try again.';
    expect([failed.status, failed.body]).toEqual([503, { statusCode: 503, message }]);
    isStoreDown = false;
    expect((await kim.get('/members')).status).toBe(200);
  });
});

describe('A security exception that cannot be answered', () => {
  const lines: string[] = [];
  const error = (line: string) => void lines.push(line);
  let app: StartedApp;

  afterEach(async () => {
    await app.close();
    lines.length = 0;
  });

  const start = async (
    security: SecurityOptions = {},
    load: 'eager' | 'lazy' = 'eager',
  ): Promise<Visitor> => {
    app = await startApp('express', {
      controllers: [...LOGIN_PARTS.controllers, ShopController],
      providers: LOGIN_PARTS.providers,
      options: { store: 'memory', load, logger: { error, warn: error }, security },
    });
    const kim = new Visitor(app.url);
    await kim.post('/login', KIM);
    return kim;
  };

  it('is told of when the response was already sent, and answered when it is thrown before', async () => {
    const kim = await start();
    await expect(kim.get('/shop/sent/false')).rejects.toThrow(/aborted|socket hang up/);
    expect(lines).toEqual([
      'Cannot answer a security exception: the response was already sent. Throw it before you send.',
    ]);
    expect((await kim.get('/shop/sent/true')).status).toBe(403);
  });

  it('is told of when a handler fails, and answered when the handler is mended', async () => {
    let isBroken = true;
    const handle = (exchange: HttpExchange): void => {
      if (isBroken) throw new Error('secret detail');
      exchange.answer({ statusCode: 403, body: 'mended' });
    };
    const kim = await start({ accessDeniedHandler: { handle } }, 'lazy');
    const failed = await kim.get('/shop/sent/true');
    const detail = 'The request could not be answered.';
    expect([failed.status, failed.body]).toEqual([500, expect.objectContaining({ detail })]);
    expect(lines).toEqual([
      'Cannot answer a security exception: a handler of the option security failed. The client gets 500; mend the handler.',
    ]);
    isBroken = false;
    expect((await kim.get('/shop/sent/true')).text).toBe('mended');
  });
});

describe('The problem details of a response whose session could not be kept', () => {
  it.each<[detail: string, status: number, error: Error]>([
    [
      'The session is not available at the moment. Try again.',
      503,
      new SessionStoreError('out of order'),
    ],
    ['The session has ended meanwhile. Log in again.', 401, SessionInvalidatedError.create('x')],
    [
      'There are as many sessions of this user as allowed. Log out elsewhere.',
      401,
      SessionLimitError.create(),
    ],
    [
      'The session holds a value that cannot be stored.',
      500,
      SessionEncodingError.create('x', 'x'),
    ],
    ['The session could not be saved.', 500, new Error('secret detail')],
  ])('say: %s (%i)', (detail, status, error) => {
    expect(problemOf(error)).toMatchObject({ status, detail });
  });
});
