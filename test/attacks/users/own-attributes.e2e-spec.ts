import {
  Body,
  Controller,
  Get,
  Injectable,
  Param,
  Post,
  Req,
  Session as SessionOf,
} from '@nestjs/common';
import { PassportModule, PassportSerializer } from '@nestjs/passport';
import { describe, expect, it } from '@jest/globals';
import { CsrfTokenService, CurrentUser, LoginService } from 'nestjs-redis-session';
import { type ExpressSession, expressSession } from 'nestjs-redis-session/express-session';
import supertest from 'supertest';
import { ADMIN, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

/** All names that the library stores. A client that learns or sets one of them can act as somebody else. */
const OWN_NAMES = [
  ...['CSRF_SECRET', 'DATA_KEY', 'REMEMBER_ME', 'SAVED_REQUESTS'],
  ...['SECURITY_CONTEXT', 'SESSION_CLIENT', 'SESSION_COOKIE'],
];

/** The application's own: it believes whatever name the session holds. */
@Injectable()
class Serializer extends PassportSerializer {
  serializeUser({ username }: { username: string }, done: (error: unknown, id: string) => void) {
    done(null, username);
  }

  deserializeUser(username: string, done: (error: unknown, user: object) => void) {
    done(null, { username });
  }
}

interface Shop {
  readonly user?: object;
  readonly session: ExpressSession;
  readonly sessionID: string;
  readonly sessionStore: {
    get(id: string, callback: (error: unknown, session: unknown) => void): void;
  };
}

@Controller('careless')
class CarelessController {
  constructor(
    private readonly csrfTokens: CsrfTokenService,
    private readonly logins: LoginService,
  ) {}

  @Get('filled')
  async fill(@Req() request: Shop) {
    request.session['cart'] = ['tea'];
    request.session.cookie.maxAge = 60_000;
    await this.logins.login(request, { name: 'kim' });
    await this.csrfTokens.tokenOf(request);
  }

  @Get('session')
  show(@SessionOf() session: ExpressSession) {
    return { json: session, spread: { ...session }, keys: Object.keys(session) };
  }

  @Get('stored')
  stored(@Req() { sessionStore, sessionID }: Shop) {
    return new Promise((resolve) => {
      sessionStore.get(sessionID, (_error, session) => resolve(session));
    });
  }

  @Get('regenerated')
  async regenerate(@Req() request: Shop) {
    const names: string[] = [];
    const old = request.session;
    await old.regenerate();
    for (const name in old) names.push(name);
    Object.assign(request.session, { ...old });
    return { names };
  }

  @Post('preferences')
  assign(@SessionOf() session: ExpressSession, @Body() body: object) {
    return messageOf(() => Object.assign(session, body));
  }

  @Post('forgotten')
  forget(@SessionOf() session: ExpressSession, @Body('name') name: string) {
    return messageOf(() => Reflect.deleteProperty(session, name));
  }

  @Get('who')
  who(@Req() { user }: Shop, @CurrentUser() current: unknown) {
    return { user, current };
  }

  @Post('long/:way')
  keepLong(@SessionOf() session: ExpressSession, @Param('way') way: string) {
    session['kept'] = true;
    if (way === 'maxAge') session.cookie.maxAge = 1e14;
    if (way === 'expires') session.cookie.expires = new Date(8.64e15);
    if (way === 'cookie') Object.assign(session, { cookie: { originalMaxAge: 1e14 } });
    return String(session.cookie.originalMaxAge);
  }
}

function messageOf(action: () => unknown): { refused?: string } {
  try {
    action();
    return {};
  } catch (error) {
    return { refused: (error as Error).message };
  }
}

const redis = useTestRedis();

describe.each(PLATFORMS)('attributes of the library on %s', (platform) => {
  const startApp = useApps(platform, redis, {
    ...LOGIN_PARTS,
    controllers: [...LOGIN_PARTS.controllers, CarelessController],
  });
  const start = async () => {
    const security = { csrf: { isExempt: () => true } };
    return (await startApp({ features: [expressSession()], security })).url;
  };

  it.each(['session', 'stored', 'regenerated'])(
    'stay out of what a careless handler sends to the client: %s',
    async (path) => {
      const agent = supertest.agent(await start());
      await agent.get('/careless/filled').expect(200);
      const { text } = await agent.get(`/careless/${path}`).expect(200);
      expect(text).toContain('cart');
      for (const name of OWN_NAMES) expect(text).not.toContain(name);
    },
  );

  it.each(OWN_NAMES)('cannot be assigned or deleted through req.session: %s', async (name) => {
    const agent = supertest.agent(await start());
    await agent.get('/careless/filled').expect(200);
    const refused = `Cannot change req.session.${name}: the library itself keeps it. Use LoginService, LogoutService or another name.`;
    await agent
      .post('/careless/preferences')
      .send({ [name]: {} })
      .expect(201, { refused });
    await agent.post('/careless/forgotten').send({ name }).expect(201, { refused });
  });

  it('make nobody an administrator by Object.assign(req.session, body)', async () => {
    const url = await start();
    const admin = supertest.agent(url);
    await admin.post('/login').send(ADMIN).expect(200);
    await admin.get('/admin').expect(200);

    const attacker = supertest.agent(url);
    const authentication = { name: 'admin', authorities: ['ADMIN'], principal: { id: 1 } };
    const body = { theme: 'dark', SECURITY_CONTEXT: { authentication } };
    await attacker.post('/careless/preferences').send(body).expect(201);
    await attacker.get('/admin').expect(401);
  });

  it.each([true, false])(
    'do not log in whom a client names for passport (passport: %s)',
    async (isPassportOn) => {
      const { url } = await startApp(
        { features: [expressSession({ passport: isPassportOn })] },
        { imports: [PassportModule], providers: [Serializer] },
      );
      const attacker = supertest.agent(url);
      const body = { theme: 'dark', passport: { user: 'admin' } };
      await attacker.post('/careless/preferences').send(body).expect(201, {});
      await attacker.get('/admin').expect(401);
      await attacker.get('/members').expect(401);
      const { user, current } = (await attacker.get('/careless/who')).body as Record<
        string,
        unknown
      >;
      expect(current).toBeUndefined();
      // As with express-session: what passport reads of the session is the application's to protect.
      expect(user).toEqual(isPassportOn ? { username: 'admin' } : undefined);
    },
  );

  it.each([
    ['400 days, as browsers do', {}, 400 * 86_400, 'maxAge'],
    ['400 days, as browsers do', {}, 400 * 86_400, 'expires'],
    ['400 days, as browsers do', {}, 400 * 86_400, 'cookie'],
    ['the absolute timeout', { absoluteTimeoutSeconds: 8 * 3600 }, 8 * 3600, 'maxAge'],
  ])('keep neither a cookie nor its session longer than %s', async (...attack) => {
    const [, options, seconds, way] = attack;
    const { url } = await startApp({ features: [expressSession()], ...options });
    const { text, headers } = await supertest(url).post(`/careless/long/${way}`);
    expect(text).toBe(String(seconds * 1000));
    expect(headers['set-cookie']?.[0]).toContain(`Max-Age=${seconds};`);
    const [, id = ''] = /SESSION=([^;]+)/.exec(headers['set-cookie']?.[0] ?? '') ?? [];
    const lifeMs = await redis.client.pttl(redis.keys.session(id));
    expect(lifeMs).toBeGreaterThan((seconds - 60) * 1000);
    expect(lifeMs).toBeLessThanOrEqual(seconds * 1000);
  });
});
