import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, HttpCode, Injectable, Post, Query, Req, Scope } from '@nestjs/common';
import {
  Authenticated,
  type Authentication,
  CurrentSession,
  type IndexedSessionOptions,
  LoginService,
  OnSessionEvent,
  RedisSessionModule,
  type Session,
  type SessionEvent,
  SessionEvents,
  SessionRegistry,
} from 'nestjs-redis-session';
import { TestClock, withMemorySessions } from 'nestjs-redis-session/testing';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { eventually } from '../../support/waiting/eventually.js';
import { send as sendRequest } from '../../support/http/http-client.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { createApp, PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

@Controller()
class UserController {
  constructor(
    private readonly loginService: LoginService,
    private readonly registry: SessionRegistry,
  ) {}

  @Post('login')
  @HttpCode(200)
  login(@Req() request: object, @Query('name') name: string): Promise<Authentication> {
    return this.loginService.login(request, { username: name });
  }

  @Get('name')
  nameOf(@CurrentSession() session: Session): unknown {
    return session.getAttribute<string>('user');
  }

  @Post('name')
  async name(
    @CurrentSession() session: Session,
    @Query('name') name: string,
    @Query('how') how: string,
  ): Promise<void> {
    session.setAttribute<string>('user', name);
    if (how === 'saved') await session.save();
  }

  @Post('logout')
  async logout(@CurrentSession() session: Session): Promise<void> {
    await session.invalidate();
  }

  @Get('me')
  @Authenticated()
  me(): object {
    return {};
  }

  @Get('sessions')
  @Authenticated()
  async sessions(@CurrentSession() session: Session): Promise<object> {
    const { sessions } = await this.registry.list('kim', { currentId: session.id });
    return sessions.map(({ isCurrent, ip, userAgent }) => ({ isCurrent, ip, userAgent }));
  }

  @Post('sign-out-elsewhere')
  @Authenticated()
  async signOutElsewhere(@CurrentSession() session: Session): Promise<object> {
    return { count: await this.registry.expireOthers('kim', session.id) };
  }
}

@Injectable()
class Listener {
  readonly seen: string[] = [];

  @OnSessionEvent('created', 'deleted', 'expired')
  note({ type, principalName }: SessionEvent): void {
    this.seen.push(`${type} ${principalName}`);
  }
}

const redis = useTestRedis();
let namespace: string;
let replicas: StartedApp[] = [];

beforeEach(() => {
  namespace = `${redis.namespace}:${randomUUID()}`;
});

afterEach(async () => {
  await Promise.all(replicas.map((replica) => replica.close()));
  replicas = [];
});

const KEY = Buffer.alloc(32, 1).toString('base64');
const INDEX_KEY = Buffer.alloc(32, 2).toString('base64');
const optionsOf = (indexed: IndexedSessionOptions) => ({
  indexed,
  namespace,
  redis: process.env['TEST_REDIS_URL'] ?? '',
  repository: 'indexed' as const,
});

async function start(
  platform: 'express' | 'fastify' = 'express',
  indexed: IndexedSessionOptions = {},
  { log, ...atRest }: { hashIds?: boolean; log?: LoggedLines } = {},
): Promise<StartedApp> {
  const replica = await startApp(platform, {
    options: { ...optionsOf({ eventDelivery: 'once', ...indexed }), ...atRest },
    log,
    controllers: [UserController],
    providers: [Listener],
  });
  replicas.push(replica);
  return replica;
}

const send = (
  { port }: StartedApp,
  line: Parameters<typeof sendRequest>[1],
  cookie?: string,
  headers: Record<string, string> = {},
) => sendRequest(port, line, { cookie, ...headers });

const logIn = async (on: StartedApp, name = 'kim', agent = 'test') => {
  const answer = await send(on, `POST /login?name=${name}`, undefined, { 'user-agent': agent });
  if (answer.cookie === undefined) throw new Error(`No login: ${answer.text}`);
  return answer.cookie;
};

const SETUPS = PLATFORMS.flatMap((platform) => [
  { platform, hashIds: false as const },
  { platform, hashIds: true as const },
]);

describe.each(SETUPS)('SessionRegistry on $platform, hashIds: $hashIds', (setup) => {
  const { platform, hashIds } = setup;

  it('lists the sessions of a user with where they come from', async () => {
    const replica = await start(platform, {}, { hashIds });
    const cookie = await logIn(replica, 'kim', 'first');
    await logIn(replica, 'kim', 'second');
    const answer = await send(replica, 'GET /sessions', cookie);
    const list = JSON.parse(answer.text) as { userAgent: string }[];
    expect(list.sort((a, b) => a.userAgent.localeCompare(b.userAgent))).toEqual([
      { isCurrent: true, ip: expect.stringContaining('127.0.0.1'), userAgent: 'first' },
      { isCurrent: false, ip: expect.stringContaining('127.0.0.1'), userAgent: 'second' },
    ]);
  });

  it('signs out elsewhere: the other client is told why, once', async () => {
    const [a, b] = [await start(platform, {}, { hashIds }), await start(platform, {}, { hashIds })];
    const [own, other] = [await logIn(a), await logIn(b)];
    expect((await send(a, 'POST /sign-out-elsewhere', own)).text).toBe('{"count":1}');
    expect((await send(b, 'GET /me', own)).status).toBe(200);
    const refusal = await send(b, 'GET /me', other);
    expect(refusal.status).toBe(401);
    expect(JSON.parse(refusal.text)).toMatchObject({ reason: 'signed-out' });
    const second = await send(b, 'GET /me', other);
    expect(JSON.parse(second.text)).toMatchObject({ reason: 'session-ended' });
  });

  it('ends sessions by their id and by their ref', async () => {
    const replica = await start(platform, {}, { hashIds });
    const registry = replica.app.get(SessionRegistry);
    const cookies = [await logIn(replica), await logIn(replica), await logIn(replica)];
    const idOf = (cookie = '') => cookie.slice('SESSION='.length);
    const informationOf = async (cookie = '') =>
      (await registry.list('kim', { currentId: idOf(cookie) })).sessions.find(
        ({ isCurrent }) => isCurrent,
      );
    const { ref = '' } = (await informationOf(cookies[0])) ?? {};
    expect(await registry.expireByRef('lee', ref)).toBe(false);
    expect(await registry.expireByRef('kim', ref)).toBe(true);
    expect(await registry.expireByRef('kim', ref)).toBe(false);
    await registry.expire((await informationOf(cookies[1]))?.sessionId ?? '');
    expect((await registry.list('kim')).total).toBe(1);
    await registry.expire(idOf(cookies[2]));
    for (const cookie of cookies) expect((await send(replica, 'GET /me', cookie)).status).toBe(401);
  });

  if (!hashIds) return;

  it('answers, logs, tells and stores no id that logs in', async () => {
    const log = new LoggedLines();
    const replica = await start(platform, {}, { hashIds, log });
    const events: unknown[] = [];
    replica.app.get(SessionEvents).events$.subscribe((event) => events.push(event));
    const registry = replica.app.get(SessionRegistry);
    const cookies = [await logIn(replica), await logIn(replica), await logIn(replica)];
    const { sessions } = await registry.list('kim');
    for (const { sessionId } of sessions) {
      const answer = await send(replica, 'GET /me', `SESSION=${sessionId}`);
      expect(answer.status).toBe(401);
    }
    await registry.expireByRef('kim', sessions[0]?.ref ?? '');
    await registry.expire(sessions[1]?.sessionId ?? '');
    await registry.expireAll('kim');
    await eventually(() => Promise.resolve(events.length === 6));
    const texts = [JSON.stringify([sessions, events]), log.text, await redis.dump(namespace)];
    for (const cookie of cookies)
      expect(texts.join('\n')).not.toContain(cookie.slice('SESSION='.length + 8));
  });
});

describe('maximumSessions', () => {
  it('ends the oldest session, whose client is told why', async () => {
    const replica = await start('express', {
      maximumSessions: ({ name }) => (name === 'kim' ? 1 : -1),
    });
    const [first, second] = [await logIn(replica), await logIn(replica)];
    expect((await send(replica, 'GET /me', second)).status).toBe(200);
    const refusal = await send(replica, 'GET /me', first);
    expect(refusal.status).toBe(401);
    expect(JSON.parse(refusal.text)).toMatchObject({ reason: 'maximum-sessions' });
  });

  it('refuses the login when the policy says so, and logs nobody in', async () => {
    const policy = { maximumSessions: 1, maximumSessionsPolicy: 'reject-login' } as const;
    const replica = await start('express', policy);
    const first = await logIn(replica);
    const visitor = await send(replica, 'POST /name?name=visitor');
    const refusal = await send(replica, 'POST /login?name=kim', visitor.cookie);
    expect(refusal.status).toBe(401);
    expect(JSON.parse(refusal.text)).toMatchObject({ reason: 'maximum-sessions' });
    const cookie = refusal.cookie ?? visitor.cookie;
    expect((await send(replica, 'GET /me', cookie)).status).toBe(401);
    expect((await send(replica, 'GET /name', cookie)).text).toBe('visitor');
    expect((await send(replica, 'GET /me', first)).status).toBe(200);
  });

  describe.each(['express', 'fastify'] as const)('by an attribute, on %s', (platform) => {
    it.each(['saved', 'left'])('refuses one more that is %s by the handler', async (how) => {
      const replica = await start(platform, {
        ...{ maximumSessions: 1, maximumSessionsPolicy: 'reject-login' },
        principalName: (session) => session.getAttribute('user'),
      });
      expect((await send(replica, `POST /name?name=kim&how=${how}`)).status).toBe(201);
      const refusal = await send(replica, `POST /name?name=kim&how=${how}`);
      expect(refusal.status).toBe(401);
      expect(JSON.parse(refusal.text)).toMatchObject({ status: 401, reason: 'maximum-sessions' });
      const { total } = await replica.app.get(SessionRegistry).list('kim');
      expect(total).toBe(1);
    });
  });

  it('leaves exactly one of 50 logins at the same time on two replicas', async () => {
    const on = [
      await start('express', { maximumSessions: 1 }),
      await start('express', { maximumSessions: 1 }),
    ];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => send(on[i % 2]!, 'POST /login?name=kim')),
    );
    expect(answers.filter(({ status }) => ![200, 401].includes(status))).toEqual([]);
    const cookies = answers.flatMap(({ cookie }) => cookie ?? []);
    const alive = await Promise.all(cookies.map((cookie) => send(on[0]!, 'GET /me', cookie)));
    expect(alive.filter(({ status }) => status === 200)).toHaveLength(1);
    const { total } = await on[0]!.app.get(SessionRegistry).list('kim');
    expect(total).toBe(1);
  });
});

describe('@OnSessionEvent', () => {
  const seenBy = (all: StartedApp[]) => all.flatMap(({ app }) => app.get(Listener).seen).sort();

  it("has one replica handle each event with eventDelivery 'once'", async () => {
    const all = [await start(), await start()];
    const cookie = await logIn(all[0]!);
    await send(all[1]!, 'POST /logout', cookie);
    await eventually(() => Promise.resolve(seenBy(all).length >= 2));
    expect(seenBy(all)).toEqual(['created kim', 'deleted kim']);
  });

  it("has every replica handle each event with eventDelivery 'broadcast'", async () => {
    const all = [
      await start('express', { eventDelivery: 'broadcast', replicaName: 'a' }),
      await start('express', { eventDelivery: 'broadcast', replicaName: 'b' }),
    ];
    await logIn(all[0]!);
    await eventually(() => Promise.resolve(seenBy(all).length >= 2));
    expect(all.map(({ app }) => app.get(Listener).seen)).toEqual([
      ['created kim'],
      ['created kim'],
    ]);
  });

  it('has the other handlers handle an event with which one fails', async () => {
    const seen: string[] = [];
    @Injectable()
    class Broken {
      @OnSessionEvent()
      fail(): void {
        throw new Error('No.');
      }
    }
    @Injectable()
    class Sound {
      @OnSessionEvent()
      note({ type }: SessionEvent): void {
        seen.push(type);
      }
    }
    const replica = await startApp('express', {
      options: optionsOf({ eventDelivery: 'once' }),
      controllers: [UserController],
      providers: [Broken, Sound],
    });
    replicas.push(replica);
    await logIn(replica);
    await eventually(() => Promise.resolve(seen.length > 0));
    expect(seen).toEqual(['created']);
  });

  it('handles the same events when a test keeps sessions in memory', async () => {
    const root = RedisSessionModule.forRoot({
      ...optionsOf({ eventDelivery: 'once', maximumSessions: 1, partitions: 4 }),
      security: { logout: { endsEverySession: true } },
      webSockets: { closeWithSession: true },
    });
    const testing = Test.createTestingModule({
      imports: [root],
      controllers: [UserController],
      providers: [Listener],
    });
    const clock = new TestClock();
    const module = await withMemorySessions(testing, clock).compile();
    const app = await module.createNestApplication().init();
    const server = app.getHttpServer() as never;
    const agents = [supertest.agent(server), supertest.agent(server)] as const;
    for (const agent of agents) await agent.post('/login?name=kim').expect(200);
    await agents[0].get('/me').expect(401, /"reason":"maximum-sessions"/);
    await agents[1].get('/sessions').expect(200, /"isCurrent":true/);
    clock.advanceSeconds(1800);
    const { seen } = module.get(Listener);
    await eventually(() => Promise.resolve(seen.length >= 4));
    expect(seen.toSorted()).toEqual(['created kim', 'created kim', 'deleted kim', 'expired kim']);
    await app.close();
  });

  it('tells of sessions that nobody uses any more', async () => {
    let nowMs = Date.now();
    const replica = await startApp('express', {
      options: { ...optionsOf({ eventDelivery: 'once' }), clock: () => nowMs },
      controllers: [UserController],
      providers: [Listener],
    });
    replicas.push(replica);
    const types: string[] = [];
    replica.app.get(SessionEvents).events$.subscribe(({ type }) => types.push(type));
    await logIn(replica);
    nowMs += 1_800_000;
    await eventually(() => Promise.resolve(types.length >= 2));
    expect(types).toEqual(['created', 'expired']);
    expect(seenBy([replica])).toEqual(['created kim', 'expired kim']);
  });

  it('is called once for each event, under however many tokens its class is provided', async () => {
    const seen: string[] = [];
    @Injectable()
    class Cart {
      @OnSessionEvent('created')
      note({ eventId }: SessionEvent): void {
        seen.push(eventId);
      }
    }
    const replica = await startApp('express', {
      options: optionsOf({ eventDelivery: 'once' }),
      controllers: [UserController],
      providers: [
        Cart,
        { provide: 'cart', useExisting: Cart },
        { provide: 'same', useFactory: (cart: Cart) => cart, inject: [Cart] },
        Listener,
      ],
    });
    replicas.push(replica);
    await logIn(replica);
    // Handlers of one event begin together, and it has come once all are done.
    await eventually(() => Promise.resolve(seenBy([replica]).length === 1));
    expect(seen).toHaveLength(1);
  });

  it.each([
    ['request', Scope.REQUEST],
    ['consumer', Scope.TRANSIENT],
  ])('is refused at start in a class that is made for each %s', async (_, scope) => {
    @Injectable({ scope })
    class Short {
      @OnSessionEvent()
      note(): void {
        // Nobody could call it.
      }
    }
    const app = await createApp('express', {
      options: optionsOf({ eventDelivery: 'once' }),
      providers: [Short],
    });
    await expect(app.init()).rejects.toThrow(
      'Cannot call Short.note with session events: its class is made anew for each request or consumer.',
    );
    await app.close();
  });

  it('is refused at start when no events are recorded', async () => {
    const app = await createApp('express', {
      options: optionsOf({}),
      providers: [Listener],
    });
    await expect(app.init()).rejects.toThrow('indexed.eventDelivery must be "once" or "broadcast"');
    await app.close();
  });
});

describe("repository: 'indexed'", () => {
  it.each([
    [{ repository: 'default', indexed: {} }, 'indexed must be left out'],
    [
      { repository: 'indexed', store: 'memory', redis: undefined, indexed: { partitions: 4 } },
      'indexed.partitions must be left out when store is "memory"',
    ],
    [{ indexed: { partitions: 0 } }, 'indexed.partitions must be a positive integer, got 0.'],
    [
      { indexed: { cleanupCron: 'now and then' } },
      'indexed.cleanupCron must be a cron expression or false, got "now and then".',
    ],
    [{ indexed: { tenants: {} } }, 'indexed.tenants must be left out'],
  ])('is refused with %j', (options, message) => {
    const merged = { ...optionsOf({}), ...options } as Parameters<
      typeof RedisSessionModule.forRoot
    >[0];
    expect(() => RedisSessionModule.forRoot(merged)).toThrow(message);
  });

  it.each([
    ['hashIds', { hashIds: true as const }],
    ['encryption', { encryption: { keys: [KEY], indexKey: INDEX_KEY } }],
  ])('is refused at start with %s and the buckets that Spring shares', async (name, atRest) => {
    const options = { ...optionsOf({ expirationStore: 'minute-buckets' }), ...atRest };
    await expect(createApp('express', { options })).rejects.toThrow(
      `${name} must be left out when indexed.expirationStore is "minute-buckets"`,
    );
  });
});
