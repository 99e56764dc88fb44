import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Post,
  RequestMethod,
  UseGuards,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginGuard,
  SecurityContextHolder,
  type Session,
} from 'nestjs-redis-session';
import { FlushMode } from 'nestjs-redis-session/store';
import { SessionRequest } from '../../libs/redis-session/src/http/request/session-request.js';
import { rawRequestOf } from '../../libs/redis-session/src/nest/call-context.js';
import { PLATFORMS, useApps } from '../support/apps/start-app.js';
import { eventually } from '../support/waiting/eventually.js';
import { LocalStrategy, type TestUser } from '../support/apps/local-strategy.js';
import { openRawClient } from '../support/http/raw-client.js';
import {
  sessionCookieLinesOf,
  sessionCookieOf,
  sessionIdOf,
} from '../support/http/session-cookie.js';
import {
  SESSION_ROUTES,
  SessionSignals,
  type SessionView,
  sessionViewOf,
} from '../support/apps/session-controller.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const UNKNOWN_ID = 'A'.repeat(43);
const ENDED = 'ERR_SESSION_INVALIDATED';
const TOO_LATE = 'ERR_SESSION_RESPONSE_COMMITTED';

/** A guard of the application itself; it lets in who has the attribute `ticket`. */
class TicketGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = rawRequestOf(context.switchToHttp().getRequest());
    if (request.url !== '/ticket') return true;
    return SessionRequest.of(request)?.currentSession?.getAttribute('ticket') === 'valid';
  }
}

@Controller()
class TicketController {
  @Get('ticket')
  enter(): string {
    return 'welcome';
  }
}

@Controller({ path: 'things', version: '1' })
class VersionedController {
  @Get()
  count(@CurrentSession() session: Session): { count: number } {
    const count = (session.getAttribute<number>('count') ?? 0) + 1;
    session.setAttribute<number>('count', count);
    return { count };
  }
}

@Controller()
class UsersController {
  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser('username') username: string): { username: string } {
    return { username };
  }

  @Get('me')
  @Authenticated()
  me(@CurrentUser() user: TestUser): Promise<object> {
    return this.seenByDeepCode(user);
  }

  @Post('me')
  @Authenticated()
  meWithBody(@CurrentUser() user: TestUser, @Body() body: { turns: number }): Promise<object> {
    return this.seenByDeepCode(user, body.turns);
  }

  /** Lets other requests run in between, by all the ways in which code waits. */
  private async seenByDeepCode(user: TestUser, turns = 3): Promise<object> {
    const names = [SecurityContextHolder.getAuthentication()?.name];
    for (let n = 0; n < turns; n++) {
      await turn();
      await new Promise((resolve) => setTimeout(resolve, n));
      names.push(SecurityContextHolder.getAuthentication()?.name);
    }
    return { user: user.username, holder: [...new Set(names)] };
  }
}

describe.each(PLATFORMS)('SessionRepositoryFilter on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  const isStored = async (id: string): Promise<boolean> =>
    (await redis.client.exists(redis.keys.session(id))) === 1;

  describe('a session', () => {
    it('keeps its id within a request and from one to the next', async () => {
      const { client } = await start();
      const first = await client.put('/attributes').send({ a: 1 });
      expect(sessionViewOf(first).id).toBe(sessionIdOf(first));
      const next = await client.get('/session').set('Cookie', sessionCookieOf(first));
      expect(sessionViewOf(next).id).toBe(sessionIdOf(first));
    });

    it('has another id for each client', async () => {
      const { client } = await start();
      const clients = await Promise.all([1, 2].map((a) => client.put('/attributes').send({ a })));
      expect(new Set(clients.map(sessionIdOf)).size).toBe(2);
    });

    it('is new, and told to the client, only in the request that creates it', async () => {
      const { client } = await start();
      const first = await client.put('/attributes').send({ a: 1 });
      const next = await client
        .put('/attributes')
        .set('Cookie', sessionCookieOf(first))
        .send({ a: 2 });
      expect([first, next].map((response) => sessionViewOf(response).isNew)).toEqual([true, false]);
      expect(sessionCookieLinesOf(next)).toEqual([]);
    });

    it('shows its attributes and their names to the next request', async () => {
      const { client } = await start();
      const attributes = { text: 'käse', list: [1, { deep: null }], no: false };
      const cookie = sessionCookieOf(await client.put('/attributes').send(attributes));
      const response = await client.get('/session').set('Cookie', cookie);
      expect(sessionViewOf(response).attributes).toEqual(attributes);
    });

    it('loses a removed attribute at once and for the next request', async () => {
      const { client } = await start();
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1, b: 2 }));
      const removal = await client.put('/attributes').set('Cookie', cookie).send({ a: null });
      expect(sessionViewOf(removal).attributes).toEqual({ b: 2 });
      const response = await client.get('/session').set('Cookie', cookie);
      expect(sessionViewOf(response).attributes).toEqual({ b: 2 });
    });

    it('keeps its creation time, while the time of the last access grows', async () => {
      const now = { ms: Date.now() };
      const { client } = await start({ clock: () => now.ms });
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      const createdAt = now.ms;
      now.ms += 5000;
      const response = await client.get('/session').set('Cookie', cookie);
      expect(response.body).toMatchObject({
        creationTime: createdAt,
        lastAccessedTime: createdAt + 5000,
      });
    });

    it('is the same object for all who ask for it in one request', async () => {
      const { client } = await start();
      expect((await client.post('/twice')).body).toEqual({ isSame: true });
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      expect((await client.post('/twice').set('Cookie', cookie)).body).toEqual({ isSame: true });
    });
  });

  describe('the life of a session', () => {
    it('lasts 1800 s without a request unless an interval is set, which stays', async () => {
      const { client } = await start();
      const first = await client.put('/attributes').send({ a: 1 });
      const cookie = sessionCookieOf(first);
      expect(sessionViewOf(first).maxInactiveIntervalSeconds).toBe(1800);
      await client.put('/interval?seconds=60').set('Cookie', cookie);
      const response = await client.get('/session').set('Cookie', cookie);
      expect(sessionViewOf(response).maxInactiveIntervalSeconds).toBe(60);
    });

    it('ends when no request came for that long, not before', async () => {
      const now = { ms: Date.now() };
      const { client } = await start({ clock: () => now.ms, maxInactiveIntervalSeconds: 60 });
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      const isAlive = async (): Promise<boolean> =>
        !((await client.get('/session').set('Cookie', cookie)).body as SessionView).isNew;
      now.ms += 59_000;
      expect(await isAlive()).toBe(true);
      now.ms += 59_000;
      expect(await isAlive()).toBe(true);
      now.ms += 60_000;
      expect(await isAlive()).toBe(false);
    });

    it('ends at absoluteTimeoutSeconds however active it is', async () => {
      const now = { ms: Date.now() };
      const { client } = await start({ clock: () => now.ms, absoluteTimeoutSeconds: 100 });
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 0 }));
      const outcomes: boolean[] = [];
      for (let a = 1; a <= 3; a++) {
        now.ms += 40_000;
        const response = await client.put('/attributes').set('Cookie', cookie).send({ a });
        outcomes.push(sessionViewOf(response).isNew);
      }
      expect(outcomes).toEqual([false, false, true]);
    });
  });

  describe('who only asks whether there is a session', () => {
    it.each([
      ['no cookie', undefined],
      ['the id of no session', `SESSION=${UNKNOWN_ID}`],
    ])('gets none, and no cookie, with %s', async (_what, cookie) => {
      const { client } = await start();
      const response = await client.get('/session-if-any').set('Cookie', cookie ?? '');
      expect(response.body).toEqual({ exists: false });
      expect(sessionCookieLinesOf(response)).toEqual([]);
    });

    it('gets the stored one', async () => {
      const { client } = await start();
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      const response = await client.get('/session-if-any').set('Cookie', cookie);
      expect(response.body).toEqual({ exists: true });
    });
  });

  describe('a client that made up its session id', () => {
    it('gets a session with another id', async () => {
      const { client } = await start();
      const cookie = `SESSION=${UNKNOWN_ID}`;
      const response = await client.put('/attributes').set('Cookie', cookie).send({ a: 1 });
      expect(sessionIdOf(response)).not.toBe(UNKNOWN_ID);
      expect(await isStored(sessionIdOf(response))).toBe(true);
      expect(await isStored(UNKNOWN_ID)).toBe(false);
    });
  });

  describe('after the response was sent', () => {
    it('refuses to create a session', async () => {
      const { app, client } = await start();
      const refusal = once(app.get(SessionSignals), 'too-late');
      expect((await client.get('/too-late')).text).toBe('sent');
      expect(await refusal).toEqual([TOO_LATE]);
    });

    it('refuses to change the session id, and the old one stays valid', async () => {
      const { app, client } = await start();
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      const refusal = once(app.get(SessionSignals), 'too-late');
      await client.get('/too-late?action=change-id').set('Cookie', cookie);
      expect(await refusal).toEqual([TOO_LATE]);
      const response = await client.get('/session').set('Cookie', cookie);
      expect(sessionViewOf(response).attributes).toEqual({ a: 1 });
    });

    it('saves what a handler sets before it returns', async () => {
      const { client } = await start();
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      expect((await client.get('/too-late?action=set').set('Cookie', cookie)).text).toBe('sent');
      await eventually(async () => {
        const response = await client.get('/session').set('Cookie', cookie);
        return 'late' in sessionViewOf(response).attributes;
      });
    });
  });

  describe('changeSessionId', () => {
    it('keeps the attributes under the new id, and the old id is dead', async () => {
      const { client } = await start();
      const first = await client.put('/attributes').send({ a: 1 });
      const change = await client.post('/id').set('Cookie', sessionCookieOf(first));
      const newId = sessionIdOf(change);
      expect(change.body).toEqual({ before: sessionIdOf(first), returned: newId, id: newId });
      expect(newId).not.toBe(sessionIdOf(first));
      expect(await isStored(sessionIdOf(first))).toBe(false);
      const next = await client.get('/session').set('Cookie', sessionCookieOf(change));
      expect(next.body).toMatchObject({ id: newId, isNew: false, attributes: { a: 1 } });
      const withOldId = await client.get('/session').set('Cookie', sessionCookieOf(first));
      expect(withOldId.body).toMatchObject({ isNew: true, attributes: {} });
    });

    it('stores nothing of a new session that nobody wrote to', async () => {
      const { client } = await start();
      const response = await client.post('/id');
      expect(sessionCookieLinesOf(response)).toEqual([]);
      expect(await isStored((response.body as { id: string }).id)).toBe(false);
    });
  });

  describe('invalidate', () => {
    it('deletes the session and the cookie', async () => {
      const { client } = await start();
      const first = await client.put('/attributes').send({ a: 1 });
      const response = await client.post('/invalidate').set('Cookie', sessionCookieOf(first));
      expect(sessionCookieLinesOf(response)).toEqual([
        'SESSION=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
      ]);
      expect(await isStored(sessionIdOf(first))).toBe(false);
    });

    it('lets nothing but its id and its own state be used', async () => {
      const { client } = await start();
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      expect((await client.post('/invalidate').set('Cookie', cookie)).body).toEqual({
        attributeNames: ENDED,
        changeSessionId: ENDED,
        creationTime: ENDED,
        getAttribute: ENDED,
        id: 'none',
        invalidate: ENDED,
        isInvalidated: 'none',
        isNew: ENDED,
        lastAccessedTime: ENDED,
        removeAttribute: ENDED,
        setAttribute: ENDED,
        update: ENDED,
      });
    });

    it('tells nothing to a client that has no cookie', async () => {
      const { client } = await start();
      expect(sessionCookieLinesOf(await client.post('/invalidate'))).toEqual([]);
    });

    it('lets the request start another session, which has only what was set later', async () => {
      const { client } = await start();
      const first = await client.put('/attributes').send({ a: 1 });
      const response = await client.post('/restart').set('Cookie', sessionCookieOf(first));
      const started = sessionIdOf(response);
      expect(response.body).toEqual({ ended: sessionIdOf(first), started });
      expect(started).not.toBe(sessionIdOf(first));
      expect(await isStored(sessionIdOf(first))).toBe(false);
      const next = await client.get('/session').set('Cookie', sessionCookieOf(response));
      expect(sessionViewOf(next).attributes).toEqual({ after: true });
    });
  });

  describe('exclude', () => {
    it('leaves no route out by default', async () => {
      const { client } = await start();
      expect((await client.get('/session')).status).toBe(200);
    });

    it.each([
      ['a path', ['session'], '/session'],
      ['a pattern', ['ses{*rest}'], '/session'],
      ['a method and a path', [{ path: 'session', method: RequestMethod.GET }], '/session'],
    ])('leaves out %s: its routes have no session', async (_what, exclude, path) => {
      const { client } = await start({ exclude });
      expect((await client.get(path)).status).toBe(500);
      expect((await client.put('/attributes').send({ a: 1 })).status).toBe(200);
    });

    it('reads and renews nothing on a route that is left out', async () => {
      const cookie = { rolling: true, maxAgeSeconds: 60 };
      const { client } = await start({ exclude: ['untouched'], cookie });
      const session = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      const response = await client.get('/untouched').set('Cookie', session);
      expect(response.text).toBe('untouched');
      expect(sessionCookieLinesOf(response)).toEqual([]);
    });
  });

  describe('routing of the application', () => {
    it('serves routes below a global prefix, and those that are excluded from it', async () => {
      const { client } = await start(
        {},
        {
          prepare: (app) => app.setGlobalPrefix('api', { exclude: ['session'] }),
        },
      );
      const cookie = sessionCookieOf(await client.put('/api/attributes').send({ a: 1 }));
      const response = await client.get('/session').set('Cookie', cookie);
      expect([response.status, sessionViewOf(response).attributes]).toEqual([200, { a: 1 }]);
    });

    it('takes `exclude` to mean paths below the global prefix', async () => {
      const { client } = await start(
        { exclude: ['session'] },
        { prepare: (app) => app.setGlobalPrefix('api') },
      );
      expect((await client.get('/api/session')).status).toBe(500);
      expect((await client.get('/api/session-if-any')).status).toBe(200);
    });

    it.each(['v1/session', '*version/session'])(
      'takes the version of the URI to belong to the path: %s',
      async (path) => {
        const { client } = await start(
          { exclude: [path] },
          {
            prepare: (app) =>
              app
                .setGlobalPrefix('api')
                .enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
          },
        );
        expect((await client.get('/api/v1/session')).status).toBe(500);
        expect((await client.get('/api/v1/session-if-any')).status).toBe(200);
      },
    );

    it('answers 404 with a session as without', async () => {
      const { client } = await start();
      const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
      const answers = await Promise.all([
        client.get('/nowhere'),
        client.get('/nowhere').set('Cookie', cookie),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([404, 404]);
      expect(answers[1].body).toEqual(answers[0].body);
    });

    it.each([
      ['uri', { type: VersioningType.URI } as const, '/v1/things', {}],
      [
        'header',
        { type: VersioningType.HEADER, header: 'X-Version' } as const,
        '/things',
        { 'X-Version': '1' },
      ],
    ])('serves routes with a version in the %s', async (_where, versioning, path, headers) => {
      const { client } = await start(
        {},
        {
          controllers: [VersionedController],
          prepare: (app) => app.enableVersioning(versioning),
        },
      );
      const first = await client.get(path).set(headers);
      const next = await client.get(path).set(headers).set('Cookie', sessionCookieOf(first));
      expect(next.body).toEqual({ count: 2 });
    });
  });

  describe('flushMode', () => {
    it.each([
      [FlushMode.OnSave, false],
      [FlushMode.Immediate, true],
    ])(
      '%s: another replica sees a change before the handler ends = %s',
      async (flushMode, sees) => {
        const { app, client } = await start({ flushMode });
        const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
        const key = redis.keys.session(cookie.slice('SESSION='.length));
        const isWritten = async (): Promise<boolean> =>
          (await redis.client.hexists(key, 'sessionAttr:waiting')) === 1;
        const signals = app.get(SessionSignals);
        const response = client.post('/wait').set('Cookie', cookie).then();
        await eventually(() => Promise.resolve(signals.listenerCount('go-on') > 0));
        // A request after the change has been to Redis and back: so has a write that was sent at once.
        await client.get('/session').set('Cookie', cookie);
        expect(await isWritten()).toBe(sees);
        signals.emit('go-on');
        await response;
        expect(await isWritten()).toBe(true);
      },
    );
  });

  describe("the application's own global guard", () => {
    const withGuard = {
      controllers: [TicketController],
      providers: [{ provide: APP_GUARD, useClass: TicketGuard }],
    };

    it('finds the session loaded', async () => {
      const { client } = await start({}, withGuard);
      const cookie = sessionCookieOf(await client.put('/attributes').send({ ticket: 'valid' }));
      expect((await client.get('/ticket').set('Cookie', cookie)).text).toBe('welcome');
    });

    it('turns away who has no session', async () => {
      const { client } = await start({}, withGuard);
      expect((await client.get('/ticket')).status).toBe(403);
    });
  });

  describe('requests of different users at the same time', () => {
    it.each(['eager', 'lazy'] as const)('never see each other with load %s', async (load) => {
      const { client } = await start(
        { load },
        {
          controllers: [UsersController],
          providers: [LocalStrategy],
        },
      );
      const users = Array.from({ length: 50 }, (_, n) => `user-${n}`);
      const login = async (username: string): Promise<string> =>
        sessionCookieOf(await client.post('/login').send({ username, password: username }));
      const cookies = await Promise.all(users.map(login));
      const answers = await Promise.all(
        Array.from({ length: 4 * users.length }, async (_, n) => {
          const cookie = cookies[n % users.length] ?? '';
          const exchange =
            n % 3 === 0 ? client.post('/me').send({ turns: n % 4 }) : client.get('/me');
          return (await exchange.set('Cookie', cookie)).body as object;
        }),
      );
      expect(answers).toEqual(
        answers.map((_, n) => {
          const user = users[n % users.length];
          return { user, holder: [user] };
        }),
      );
    });

    it('are told apart when a body arrives later than its head', async () => {
      const { client, port } = await start(
        {},
        {
          controllers: [UsersController],
          providers: [LocalStrategy],
        },
      );
      const login = await client.post('/login').send({ username: 'kim', password: 'kim' });
      const cookie = sessionCookieOf(login);
      const body = JSON.stringify({ turns: 1 });
      const head = [
        ...['POST /me HTTP/1.1', 'Host: test', 'Connection: close', `Cookie: ${cookie}`],
        ...['Content-Type: application/json', `Content-Length: ${body.length}`],
        'Expect: 100-continue',
      ];
      const slowClient = await openRawClient(port);
      slowClient.send(`${head.join('\r\n')}\r\n\r\n`);
      await slowClient.firstBytes;
      // A later request has been to Redis and back: so the session of the first one is loaded, and its body awaited.
      await client.get('/me').set('Cookie', cookie);
      slowClient.send(body);
      expect(String(await slowClient.response)).toContain('{"user":"kim","holder":["kim"]}');
    });

    it('leave nobody to a request without a session', async () => {
      const { client } = await start(
        {},
        {
          controllers: [UsersController],
          providers: [LocalStrategy],
        },
      );
      const login = await client.post('/login').send({ username: 'kim', password: 'kim' });
      const cookie = sessionCookieOf(login);
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          client.get('/me').set('Cookie', n % 2 === 0 ? cookie : ''),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(
        answers.map((_, n) => (n % 2 === 0 ? 200 : 401)),
      );
    });
  });
});
