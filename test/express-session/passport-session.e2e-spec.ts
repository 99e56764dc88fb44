import { expressSession } from 'nestjs-redis-session/express-session';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import {
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  Post,
  Req,
  Session as SessionOf,
  UseGuards,
} from '@nestjs/common';
import { AuthGuard, PassportModule, PassportSerializer, PassportStrategy } from '@nestjs/passport';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ExpressSession, redisSession } from 'nestjs-redis-session/express-session';
import { LogoutService } from 'nestjs-redis-session';
import passport, { type Strategy } from 'passport';
import { Strategy as LocalPassword } from 'passport-local';
import supertest from 'supertest';
import { recordCommands } from '../support/redis/redis-monitor.js';
import { startRedis } from '../support/redis/redis-server.js';
import { useTestRedis } from '../support/redis/test-redis.js';
import { PLATFORMS, useApps } from '../support/apps/start-app.js';
import { LocalLoginGuard } from '../sample-app/app/local-login.guard.js';
import { LocalStrategy } from '../sample-app/app/local.strategy.js';

type RedisServer = Awaited<ReturnType<typeof startRedis>>;

interface Request {
  readonly user?: { name: string };
  logout(callback: (error?: Error) => void): void;
}

const shared = useTestRedis();
let knownUsers: Set<string>;
let redis: RedisServer;

@Injectable()
class Serializer extends PassportSerializer {
  serializeUser(user: { name: string }, done: (error: unknown, name: string) => void): void {
    done(null, user.name);
  }

  deserializeUser(name: string, done: (error: unknown, user: object | false) => void): void {
    done(null, knownUsers.has(name) && { name });
  }
}

/** What passport gives a strategy, and what it needs of a request. */
interface StrategyActions {
  redirect(url: string): void;
  success(user: object): void;
  fail(status: number): void;
}

interface ProviderRequest {
  readonly session: ExpressSession;
  readonly query: { readonly state?: string };
}

/** Sends the visitor to an identity provider, and remembers in the session what it will be asked for. */
function askProvider(this: StrategyActions, { session, query }: ProviderRequest): void {
  if (query.state === undefined) {
    session['state'] = 'xyz';
    this.redirect('https://provider.example/authorize?state=xyz');
  } else if (query.state === session['state']) {
    this.success({ name: 'kim' });
  } else {
    this.fail(403);
  }
}

passport.use('provider', { name: 'provider', authenticate: askProvider } as unknown as Strategy);

const refuse = function (this: StrategyActions): void {
  this.fail(401);
};
passport.use('refusing', { name: 'refusing', authenticate: refuse } as unknown as Strategy);

/** Redis is gone when the password has been checked. */
@Injectable()
class OutageStrategy extends PassportStrategy(LocalPassword, 'outage') {
  async validate(name: string): Promise<object> {
    await redis.kill('SIGKILL');
    return { name };
  }
}

class OutageGuard extends AuthGuard('outage') {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    await super.logIn(context.switchToHttp().getRequest());
    return true;
  }
}

class ProviderGuard extends AuthGuard('provider') {}

@Controller()
class AccountController {
  constructor(private readonly logoutService: LogoutService) {}

  @Post('login')
  @UseGuards(LocalLoginGuard)
  login() {
    return 'welcome';
  }

  @Post('outage')
  @UseGuards(OutageGuard)
  outage() {
    return 'welcome';
  }

  @Get('me')
  me(@Req() { user }: Request) {
    return { user: user?.name ?? null };
  }

  @Get('by-session')
  @UseGuards(AuthGuard('session'))
  bySession(@Req() { user }: Request) {
    return { user: user?.name ?? null };
  }

  @Post('logout')
  async logout(@Req() request: Request) {
    await new Promise<void>((resolve, reject) => {
      request.logout((error) => (error ? reject(error) : resolve()));
    });
    return { user: request.user ?? null };
  }

  @Post('library-logout')
  async libraryLogout(@Req() request: Request) {
    await this.logoutService.logout(request);
    return { user: request.user ?? null };
  }

  @Get('provider')
  @UseGuards(ProviderGuard)
  provider(@Req() { user }: Request) {
    return user;
  }

  @Get('session')
  session(@SessionOf() session: ExpressSession) {
    return session;
  }
}

const parts = {
  imports: [PassportModule.register({ session: true })],
  controllers: [AccountController],
  providers: [LocalStrategy, Serializer, OutageStrategy],
};
const KIM = { username: 'kim', password: 'kim' };

describe.each(PLATFORMS)('passport on %s', (platform) => {
  const startApp = useApps(platform, shared, parts);

  beforeEach(async () => {
    redis = await startRedis();
    knownUsers = new Set(['kim']);
  });

  afterEach(() => redis.stop());

  async function start(
    prepare?: (app: INestApplication) => void,
    options: object = { features: [expressSession({ passport: true })] },
  ) {
    return (await startApp({ redis: redis.url, ...options }, { prepare })).url;
  }

  async function login(url: string) {
    const kim = supertest.agent(url);
    await kim.post('/login').send(KIM).expect(201);
    return kim;
  }

  it('keeps the user that the session vouches for when AuthGuard("session") has run', async () => {
    const kim = await login(await start());
    await kim.get('/by-session').expect(200, { user: 'kim' });
  });

  it('takes three commands to log in, one to read, three to log out', async () => {
    const url = await start();
    const kim = supertest.agent(url);
    const cart = await recordCommands(redis.url);
    await kim.post('/login').send(KIM).expect(201);
    expect(await cart.take()).toHaveLength(1);
    await kim.get('/me').expect(200, { user: 'kim' });
    expect(await cart.take()).toHaveLength(1);
    await kim.post('/login').send(KIM).expect(201);
    expect(await cart.take()).toHaveLength(3);
    await kim.post('/logout').expect(201);
    expect(await cart.take()).toHaveLength(3);
    await cart.stop();
  });

  it('clears the cookie with the logout, and stores no empty session', async () => {
    const kim = await login(await start());
    const { headers } = await kim.post('/logout').expect(201, { user: null });
    expect(headers['set-cookie']?.[0]).toMatch(/^SESSION=;/);
    await kim.get('/me').expect(200, { user: null });
  });

  it('forgets a user who is gone', async () => {
    const kim = await login(await start());
    knownUsers.clear();
    await kim.get('/me').expect(200, { user: null });
    const { body } = (await kim.get('/session')) as { body: unknown };
    expect(body).toMatchObject({ passport: {} });
    expect(JSON.stringify(body)).not.toContain('kim');
  });

  it('logs out by the LogoutService, too', async () => {
    const kim = await login(await start());
    await kim.post('/library-logout').expect(201, { user: null });
    await kim.get('/me').expect(200, { user: null });
  });

  it('redirects to an identity provider once what it will be asked for is stored', async () => {
    const visitor = supertest.agent(await start());
    const { headers } = await visitor.get('/provider').expect(302);
    expect(headers['location']).toBe('https://provider.example/authorize?state=xyz');
    await visitor.get('/provider?state=xyz').expect(200, { name: 'kim' });
    await visitor.get('/provider?state=abc').expect(401);
  });

  it('answers 503 when the login cannot be stored', async () => {
    const kim = await login(await start());
    const { headers } = await kim.post('/outage').send(KIM).expect(503);
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('works with app.use(redisSession(app)) and middleware of main.ts after it', async () => {
    const seen: unknown[] = [];
    const watch = (request: object, _response: ServerResponse, next: () => void) => {
      seen.push('user' in request ? request.user : undefined);
      next();
    };
    const configure = (app: INestApplication) =>
      app.use(redisSession(app)).use(passport.session()).use(watch);
    const url = await start(configure, { features: [expressSession()] });
    const kim = await login(url);
    await kim.get('/me').expect(200, { user: 'kim' });
    await kim.get('/me').expect(200, { user: 'kim' });
    expect(seen).toEqual([undefined, { name: 'kim' }, { name: 'kim' }]);
  });

  it('refuses app.use(redisSession(app)) with excluded routes', async () => {
    const starting = start((app) => app.use(redisSession(app)), { exclude: ['health'] });
    await expect(starting).rejects.toThrow('exclude must be left out');
  });
});

describe('passport as a plain middleware of Express', () => {
  const start = useApps('express', shared, parts);

  it('keeps its messages in the session', async () => {
    const authenticate = passport.authenticate('refusing', {
      failureRedirect: '/session',
      failureMessage: 'Wrong password.',
    }) as (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
    const { url } = await start(
      { features: [expressSession()] },
      { prepare: (app) => app.use('/old-login', redisSession(app), authenticate) },
    );
    const visitor = supertest.agent(url);
    await visitor.post('/old-login').expect(302);
    const { body } = (await visitor.get('/session')) as { body: unknown };
    expect(body).toMatchObject({ messages: ['Wrong password.'] });
  });
});
