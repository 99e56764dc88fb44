import { expressSession } from 'nestjs-redis-session/express-session';
import { inspect } from 'node:util';
import { Body, Controller, Get, Param, Post, Req, Session as SessionOf } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  Authenticated,
  CsrfToken,
  CurrentSession,
  CurrentUser,
  LoginService,
  type Session,
} from 'nestjs-redis-session';
import { type ExpressSession } from 'nestjs-redis-session/express-session';
import supertest from 'supertest';
import { Barrier } from '../support/waiting/barrier.js';
import { PLATFORMS, useApps } from '../support/apps/start-app.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const redis = useTestRedis();

interface Request {
  session: ExpressSession | null | undefined;
  sessionID: string | undefined;
  sessionStore: SessionStore;
}

interface SessionStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): void;
  set(id: string, session: object, callback: (error: unknown) => void): void;
  destroy(id: string, callback: (error: unknown) => void): void;
  regenerate(request: object, callback: (error: unknown) => void): void;
}

let barrier: Barrier;

beforeEach(() => {
  barrier = new Barrier();
});

type Cart = { items: string[] };

@Controller()
class ShopController {
  constructor(private readonly logins: LoginService) {}

  @Get('untouched')
  untouched() {
    return 'ok';
  }

  @Get('type')
  type(@Req() request: Partial<Request>) {
    return typeof request.session;
  }

  @Post('together/:name')
  async together(@SessionOf() session: ExpressSession, @Param('name') name: string) {
    await barrier.pass();
    session[name] = true;
  }

  @Post('late')
  async late(@SessionOf() session: ExpressSession) {
    await barrier.pass();
    session['revived'] = true;
    await session.save();
    return session['revived'];
  }

  @Get('looked-at')
  lookedAt(@SessionOf() session: ExpressSession) {
    return {
      keys: Object.keys(session),
      hasCart: 'cart' in session,
      cart: session['cart'] ?? null,
    };
  }

  @Post('cart')
  add(@SessionOf() session: ExpressSession) {
    session['cart'] ??= { items: [] };
    (session['cart'] as Cart).items.push('tea');
    return session['cart'];
  }

  @Get('cart')
  cart(@Req() { session }: Request) {
    const listed: string[] = [];
    for (const name in session) listed.push(name);
    return { keys: Object.keys(session!), listed, json: JSON.stringify(session) };
  }

  @Post('clear')
  clear(@SessionOf() session: ExpressSession) {
    delete session['cart'];
    return { hasCart: 'cart' in session };
  }

  @Post('both')
  both(@SessionOf() view: ExpressSession, @CurrentSession() session: Session) {
    view['a'] = 1;
    session.setAttribute<number>('b', 2);
    return { a: session.getAttribute<number>('a'), b: view['b'], isSame: view.id === session.id };
  }

  @Get('shown')
  shown(@Req() { session }: Request) {
    return {
      text: inspect(session),
      hasOwn: Object.hasOwn(session!, 'cart'),
      spread: { ...session },
    };
  }

  @Post('regenerate')
  async regenerate(@Req() request: Request) {
    const old = request.session!;
    const oldId = request.sessionID;
    await old.regenerate();
    return {
      isOther: request.session !== old && request.sessionID !== oldId,
      keys: Object.keys(request.session!),
      keptByOld: old['cart'],
    };
  }

  @Post('regenerate-by-callback')
  regenerateByCallback(@Req() request: Request) {
    return new Promise((resolve) => {
      request.session!.regenerate((error) => {
        request.session!['fresh'] = true;
        request.session!.save((saveError) => resolve({ error, saveError }));
      });
    });
  }

  @Post('destroy')
  async destroy(@Req() request: Request) {
    await request.session!.destroy();
    return { type: typeof request.session, id: request.sessionID ?? null };
  }

  @Post('null')
  assignNull(@Req() request: Request) {
    request.session = null;
    return { session: request.session as unknown };
  }

  @Post('reload')
  async reload(@Req() request: Request) {
    request.session!['cart'] = 'something else';
    await request.session!.reload();
    return request.session!['cart'];
  }

  @Post('keep')
  keep(@SessionOf() session: ExpressSession) {
    session.cookie.maxAge = 60_000;
    session['kept'] = true;
    const { maxAge, originalMaxAge, expires } = session.cookie;
    return { maxAge, originalMaxAge, isDate: expires instanceof Date };
  }

  @Post('browser-session')
  browserSession(@SessionOf() session: ExpressSession) {
    session.cookie.expires = null;
    return session.cookie.originalMaxAge;
  }

  @Get('cookie')
  cookie(@SessionOf() session: ExpressSession) {
    return session.cookie;
  }

  @Get('store')
  store(@Req() { sessionStore, sessionID }: Request) {
    return new Promise((resolve) => {
      sessionStore.get(sessionID!, (_error, session) => resolve(session));
    });
  }

  @Post('kick')
  kick(@Req() { sessionStore, sessionID }: Request) {
    return new Promise((resolve) => {
      sessionStore.destroy(sessionID!, () => {
        sessionStore.set(sessionID!, { back: true }, (error) => {
          resolve({ status: (error as { getStatus(): number }).getStatus() });
        });
      });
    });
  }

  @Post('set-own')
  setOwn(@Req() { session, sessionStore, sessionID }: Request) {
    return new Promise((resolve) => {
      sessionStore.set(sessionID!, { ...session, added: 1, SECURITY_CONTEXT: 'x' }, resolve);
    });
  }

  @Post('set-empty')
  setEmpty(@Req() { sessionStore, sessionID }: Request) {
    return new Promise((resolve) => {
      sessionStore.set(sessionID!, { cookie: { originalMaxAge: 5000 } }, resolve);
    });
  }

  @Post('regenerate-by-store')
  regenerateByStore(@Req() request: Request) {
    const oldId = request.sessionID;
    return new Promise((resolve) => {
      request.sessionStore.regenerate(request, (error) => {
        resolve({ error, isOther: oldId !== request.sessionID });
      });
    });
  }

  @Post('login')
  async login(@Req() request: object) {
    await this.logins.login(request, { name: 'kim' });
  }

  @Get('me')
  @Authenticated()
  me(@CurrentUser() user: { name: string }) {
    return { name: user.name };
  }

  @Post('settings')
  settings(@SessionOf() session: ExpressSession) {
    Object.assign(session.cookie, {
      ...{ secure: true, sameSite: 'strict', httpOnly: false },
      ...{ path: '/x', domain: 'other.example', priority: 'high', partitioned: true },
    });
  }

  @Post('settings-back')
  settingsBack(@SessionOf() session: ExpressSession) {
    Object.assign(session.cookie, { secure: 'auto', sameSite: undefined, httpOnly: undefined });
  }

  @Post('odd-settings')
  oddSettings(@SessionOf() session: ExpressSession) {
    Object.assign(session.cookie, { secure: 'x', sameSite: 'bogus', httpOnly: 5, path: {} });
  }

  @Post('same-settings')
  sameSettings(@SessionOf() session: ExpressSession) {
    Object.assign(session.cookie, { sameSite: 'lax', httpOnly: true, secure: 'auto' });
  }

  @Post('age')
  age(@SessionOf() session: ExpressSession, @Body() { age }: { age: number }) {
    session['aged'] = true;
    session.cookie.maxAge = age;
  }

  @Post('assign')
  assign(@SessionOf() session: ExpressSession, @Body() body: object) {
    try {
      Object.assign(session, body);
    } catch (error) {
      return { message: (error as Error).message };
    }
    return {};
  }

  @Post('fastify-set')
  fastifySet(@SessionOf() session: ExpressSession) {
    const before = session.isModified();
    session.set('cart', 'tea');
    session.set('other', 1);
    return {
      before,
      modified: session.isModified(),
      saved: session.isSaved(),
      get: session.get('cart'),
    };
  }

  @Get('fastify-get')
  fastifyGet(@SessionOf() session: ExpressSession) {
    return { modified: session.isModified(), saved: session.isSaved(), get: session.get('cart') };
  }

  @Post('fastify-regenerate')
  fastifyRegenerate(@Req() request: Request) {
    const { id } = request.session!;
    return new Promise((resolve) => {
      request.session!.regenerate(['cart'], () => {
        const session = request.session!;
        resolve({ cart: session['cart'], isOther: session.id !== id, has: 'other' in session });
      });
    });
  }

  @Post('fastify-regenerate-promise')
  async fastifyRegenerateByPromise(@Req() request: Request) {
    const { id } = request.session!;
    request.session!['other'] = 1;
    await request.session!.regenerate(['cart']);
    const session = request.session!;
    return { cart: session['cart'], isOther: session.id !== id, has: 'other' in session };
  }

  @Get('csrf')
  csrf(@CsrfToken() token: string) {
    return { length: token.length };
  }

  @Get('json')
  json(@SessionOf() session: ExpressSession) {
    return session;
  }

  @Post('odd-age')
  oddAge(@SessionOf() session: ExpressSession) {
    try {
      Object.assign(session.cookie, { maxAge: '60000' });
    } catch (error) {
      return { name: (error as Error).name };
    }
    return {};
  }

  @Post('end')
  end(@SessionOf() session: ExpressSession) {
    Object.assign(session.cookie, { maxAge: new Date(1_900_000_060_000) });
    return session.cookie.originalMaxAge;
  }

  @Post('reserved')
  reserved(@SessionOf() session: ExpressSession) {
    const set = (name: string) => {
      try {
        session[name] = 'x';
        return true;
      } catch {
        return false;
      }
    };
    return { id: set('id'), proto: set('__proto__'), isPolluted: 'x' in {} };
  }
}

const controllers = [ShopController];

describe.each(PLATFORMS)('req.session on %s', (platform) => {
  const startApp = useApps(platform, redis, { controllers });
  const start = async (more: object = {}) =>
    (await startApp({ features: [expressSession()], ...more })).url;

  async function visitor(more: object = {}) {
    return supertest.agent(await start(more));
  }

  it('defaults to being off', async () => {
    const { client } = await startApp();
    await client.get('/type').expect(200, 'undefined');
    await supertest(await start())
      .get('/type')
      .expect(200, 'object');
  });

  it('sets no cookie for a visitor whose session nobody touches, or only looks at', async () => {
    const agent = await visitor();
    for (const path of ['/untouched', '/looked-at', '/cookie', '/shown']) {
      const answer = await agent.get(path).expect(200);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  it('keeps attributes, and sees a value that was changed in place', async () => {
    const agent = await visitor();
    await agent.post('/cart').expect(201, { items: ['tea'] });
    await agent.post('/cart').expect(201, { items: ['tea', 'tea'] });
    const body = bodyOf(await agent.get('/looked-at'));
    expect(body).toEqual({
      keys: ['cookie', 'cart'],
      hasCart: true,
      cart: { items: ['tea', 'tea'] },
    });
  });

  it('lists attributes and the cookie, but neither the id nor methods', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    const body = bodyOf(await agent.get('/cart'));
    expect(body).toMatchObject({ keys: ['cookie', 'cart'], listed: ['cookie', 'cart'] });
    const json = JSON.parse((body as { json: string }).json) as object;
    expect(json).toMatchObject({ cart: { items: ['tea'] }, cookie: { httpOnly: true, path: '/' } });
  });

  it('forgets an attribute that was deleted', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    await agent.post('/clear').expect(201, { hasCart: false });
    await agent.get('/looked-at').expect(200, { keys: ['cookie'], hasCart: false, cart: null });
  });

  it('is another view of what @CurrentSession() gives', async () => {
    const agent = await visitor();
    await agent.post('/both').expect(201, { a: 1, b: 2, isSame: true });
  });

  it('can be spread and inspected, and shows no values in a log', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    const body = bodyOf(await agent.get('/shown'));
    expect(body).toMatchObject({
      text: 'Session { cart }',
      hasOwn: true,
      spread: { cart: { items: ['tea'] } },
    });
  });

  it('regenerates into an empty session with another id, and the old id is dead', async () => {
    const url = await start();
    const agent = supertest.agent(url);
    const first = await agent.post('/cart');
    const oldCookie = cookieOf(first);
    const body = bodyOf(await agent.post('/regenerate').expect(201));
    expect(body).toEqual({ isOther: true, keys: ['cookie'], keptByOld: { items: ['tea'] } });
    await agent.post('/regenerate-by-callback').expect(201, {});
    const seen = bodyOf(await supertest(url).get('/looked-at').set('Cookie', oldCookie));
    expect(seen).toMatchObject({ keys: ['cookie'] });
    const fresh = bodyOf(await agent.get('/looked-at'));
    expect(fresh).toMatchObject({ keys: ['cookie', 'fresh'] });
  });

  it.each(['destroy', 'null'])('ends the session and clears the cookie by %s', async (way) => {
    const agent = await visitor();
    const cookie = cookieOf(await agent.post('/cart'));
    const answer = await agent.post(`/${way}`).expect(201);
    expect(answer.body).toEqual(
      way === 'null' ? { session: null } : { type: 'undefined', id: cookie.split('=')[1] },
    );
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^SESSION=;/);
    const body = bodyOf(await agent.get('/looked-at').set('Cookie', cookie));
    expect(body).toMatchObject({ hasCart: false });
  });

  it('reloads what is stored', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    await agent.post('/reload').expect(201, { items: ['tea'] });
    const body = bodyOf(await agent.get('/looked-at'));
    expect(body).toMatchObject({ cart: { items: ['tea'] } });
  });

  it('keeps the changes of two requests that run at the same time', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    const answers = Promise.all([agent.post('/together/a'), agent.post('/together/b')]);
    await barrier.reachedBy(2);
    barrier.open();
    await answers;
    const body = bodyOf(await agent.get('/looked-at'));
    expect((body as { keys: string[] }).keys.sort()).toEqual(['a', 'b', 'cart', 'cookie']);
  });

  it('brings no ended session back by a request that is under way, which gets its normal answer', async () => {
    const url = await start();
    const cookie = cookieOf(await supertest(url).post('/cart'));
    const late = supertest(url).post('/late').set('Cookie', cookie).then();
    await barrier.reachedBy(1);
    await supertest(url).post('/destroy').set('Cookie', cookie).expect(201);
    barrier.open();
    expect(await late).toMatchObject({ status: 201, text: 'true' });
    const body = bodyOf(await supertest(url).get('/looked-at').set('Cookie', cookie));
    expect(body).toMatchObject({ keys: ['cookie'] });
  });

  it('refuses with 401 to reload a session that is not stored', async () => {
    const agent = await visitor();
    await agent.post('/reload').expect(401);
  });

  it('gives one session a cookie and an idle time of its own', async () => {
    const agent = await visitor({ clock: () => 1_900_000_000_000 });
    const kept = await agent.post('/keep');
    expect(kept.body).toEqual({ maxAge: 60_000, originalMaxAge: 60_000, isDate: true });
    expect(kept.headers['set-cookie']?.[0]).toContain('Max-Age=60;');
    await agent.get('/cookie').expect(({ body: cookie }) => {
      expect(cookie).toMatchObject({ originalMaxAge: 60_000 });
    });
    const regenerated = await agent.post('/regenerate-by-callback');
    expect(regenerated.headers['set-cookie']?.[0]).not.toContain('Max-Age');
  });

  it('turns a lasting cookie into one of the browser session', async () => {
    const agent = await visitor({ cookie: { maxAgeSeconds: 3600 } });
    const lasting = await agent.post('/cart');
    expect(lasting.headers['set-cookie']?.[0]).toContain('Max-Age=3600;');
    const ofBrowser = await agent.post('/browser-session');
    expect(ofBrowser.headers['set-cookie']?.[0]).not.toContain('Max-Age');
  });

  it('reads a session by req.sessionStore, which brings no ended one back', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    await agent.post('/login').expect(201);
    const stored = bodyOf(await agent.get('/store').expect(200));
    expect(stored).toEqual({
      cart: { items: ['tea'] },
      cookie: {
        ...{ originalMaxAge: null, expires: null },
        ...{ httpOnly: true, path: '/', sameSite: 'lax', secure: 'auto' },
      },
    });
    await agent.post('/kick').expect(201, { status: 401 });
    const body = bodyOf(await agent.get('/looked-at'));
    expect(body).toMatchObject({ keys: ['cookie'] });
  });

  it('keeps the user logged in when a session is set by req.sessionStore', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    await agent.post('/login').expect(201);
    await agent.post('/set-own').expect(201);
    await agent.get('/me').expect(200, { name: 'kim' });
    await agent.post('/set-empty').expect(201);
    await agent.get('/me').expect(200, { name: 'kim' });
    const body = bodyOf(await agent.get('/looked-at'));
    expect(body).toMatchObject({ keys: ['cookie'] });
    const cookie = bodyOf(await agent.get('/cookie'));
    expect(cookie).toMatchObject({ originalMaxAge: 5000 });
  });

  it('regenerates by req.sessionStore', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    await agent.post('/regenerate-by-store').expect(201, { isOther: true });
    const body = bodyOf(await agent.get('/looked-at'));
    expect(body).toMatchObject({ hasCart: false });
  });

  it('gives one session settings of its cookie, but for those that a browser knows it by', async () => {
    const agent = await visitor();
    await agent.post('/cart');
    const changed = lineOf(await agent.post('/settings').expect(201));
    expect(changed).toMatch(/; Path=\/; Secure; SameSite=Strict$/);
    const cookie = changed.split(';')[0] ?? '';
    const shown = bodyOf(await agent.get('/cookie').set('Cookie', cookie));
    expect(shown).toMatchObject({ httpOnly: false, path: '/', sameSite: 'strict', secure: true });
    const renewed = lineOf(await agent.post('/keep').set('Cookie', cookie));
    expect(renewed).toMatch(/Secure; SameSite=Strict$/);
    const back = lineOf(await agent.post('/settings-back').set('Cookie', cookie).expect(201));
    expect(back).toMatch(/; HttpOnly; SameSite=Lax$/);
  });

  it('stores no session for settings that are those of the module, and fails at none', async () => {
    const agent = await visitor();
    const { headers } = await agent.post('/same-settings').expect(201);
    expect(headers['set-cookie']).toBeUndefined();
    await agent.post('/cart');
    const odd = lineOf(await agent.post('/odd-settings').expect(201));
    expect(odd).toMatch(/; HttpOnly; SameSite=Lax$/);
  });

  it('stores no session for a visitor whose cookie is made to slide at each request', async () => {
    const agent = await visitor();
    for (const path of ['/settings', '/browser-session', '/end']) {
      const { headers } = await agent.post(path).expect(201);
      expect(headers['set-cookie']).toBeUndefined();
    }
  });

  it('keeps an age that was set before the first attribute', async () => {
    const agent = await visitor({ clock: () => 1_900_000_000_000 });
    const kept = await agent.post('/keep');
    expect(kept.headers['set-cookie']?.[0]).toContain('Max-Age=60;');
  });

  it('caps an age at 400 days, and at the absolute timeout', async () => {
    const agent = await visitor();
    const year = await agent.post('/age').send({ age: 1e14 });
    expect(year.headers['set-cookie']?.[0]).toContain('Max-Age=34560000;');
    const capped = await visitor({ absoluteTimeoutSeconds: 3600 });
    const hour = await capped.post('/age').send({ age: 1e14 });
    expect(hour.headers['set-cookie']?.[0]).toContain('Max-Age=3600;');
  });

  it.each(['SECURITY_CONTEXT', 'CSRF_SECRET', 'REMEMBER_ME', 'SAVED_REQUESTS', 'SESSION_CLIENT'])(
    'refuses a body that is spread over it with the attribute %s of the library',
    async (name) => {
      const agent = await visitor();
      const answer = await agent
        .post('/assign')
        .send({ [name]: { authentication: { name: 'admin', authorities: ['ADMIN'] } } });
      expect(answer.body).toEqual({
        message: `Cannot change req.session.${name}: the library itself keeps it. Use LoginService, LogoutService or another name.`,
      });
      await agent.get('/me').expect(401);
    },
  );

  it('does what the session of @fastify/session does', async () => {
    const agent = await visitor();
    await agent
      .post('/fastify-set')
      .expect(201, { before: false, modified: true, saved: false, get: 'tea' });
    await agent.get('/fastify-get').expect(200, { modified: false, saved: true, get: 'tea' });
    const regenerated = await agent.post('/fastify-regenerate').expect(201);
    expect(regenerated.body).toEqual({ cart: 'tea', isOther: true, has: false });
    const again = await agent.post('/fastify-regenerate-promise').expect(201);
    expect(again.body).toEqual({ cart: 'tea', isOther: true, has: false });
  });

  it('sends no secret of the library with its JSON', async () => {
    const agent = await visitor({ security: { csrf: { isExempt: () => true } } });
    await agent.get('/csrf').expect(200);
    const shown = await agent.get('/json').expect(200);
    expect(JSON.stringify(shown.body)).not.toMatch(/CSRF_SECRET|SESSION_CLIENT/);
    expect(Object.keys(shown.body as object)).toEqual(['cookie']);
  });

  it('takes a date for an age, and refuses a text', async () => {
    const agent = await visitor({ clock: () => 1_900_000_000_000 });
    await agent.post('/odd-age').expect(201, { name: 'TypeError' });
    await agent.post('/end').expect(201, '60000');
  });

  it('lets nobody assign its id or its prototype', async () => {
    const agent = await visitor();
    await agent.post('/reserved').expect(201, { id: false, proto: false, isPolluted: false });
  });
});

function cookieOf({ headers }: { headers: Record<string, string | string[]> }): string {
  return String(headers['set-cookie']?.[0]).split(';')[0] ?? '';
}

function lineOf({ headers }: { headers: Record<string, string | string[]> }): string {
  return String(headers['set-cookie']?.[0]);
}

function bodyOf({ body }: { body: unknown }): unknown {
  return body;
}
