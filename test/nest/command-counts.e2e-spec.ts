import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post, Req, UseGuards } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginGuard,
  LogoutService,
  type RedisSessionModuleOptions,
  type Session,
} from 'nestjs-redis-session';
import request, { type Test } from 'supertest';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../support/apps/start-app.js';
import { LocalStrategy, type TestUser } from '../support/apps/local-strategy.js';
import { type RecordedCommands, recordCommands } from '../support/redis/redis-monitor.js';
import { startRedis } from '../support/redis/redis-server.js';
import { sessionCookieLinesOf, sessionCookieOf } from '../support/http/session-cookie.js';

const UNKNOWN_ID = 'A'.repeat(43);
const EVALSHA = expect.stringMatching(/^eval/);
/** All requests at the same moment, however slow the machine is. */
const BURST_MS = Date.now();
const DEFAULT_BURST: Partial<RedisSessionModuleOptions> = { clock: () => BURST_MS };
const SECRET = 'a secret of the test that is long enough';

@Controller()
class VisitsController {
  constructor(private readonly logoutService: LogoutService) {}

  @Get()
  home(): string {
    return 'home';
  }

  @Get('session')
  look(@CurrentSession() session: Session): { isNew: boolean } {
    session.getAttribute('cart');
    return { isNew: session.isNew };
  }

  @Post('set')
  set(@CurrentSession() session: Session): void {
    session.setAttribute<number>('visited', Date.now());
  }

  @Post('remove-missing')
  removeMissing(@CurrentSession() session: Session): void {
    session.removeAttribute<string>('never set');
  }

  @Post('update')
  update(@CurrentSession() session: Session): void {
    session.update<number>('count', (count = 0) => count + 1);
  }

  @Post('awaited-update')
  async awaitedUpdate(@CurrentSession() session: Session): Promise<number | undefined> {
    return session.update<number>('count', (count = 0) => count + 1);
  }

  @Post('everything')
  changeEverything(@CurrentSession() session: Session): void {
    session.setAttribute<number>('a', Date.now());
    session.setAttribute<number[]>('b', [Date.now()]);
    session.update<number>('count', (count = 0) => count + 1);
    session.removeAttribute<string>('visited');
    session.maxInactiveIntervalSeconds = 600;
    session.changeSessionId();
  }

  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(): void {
    // The guard does it all.
  }

  @Get('me')
  @Authenticated()
  me(@CurrentUser() user: TestUser): TestUser {
    return user;
  }

  @Post('logout')
  async logout(@Req() request: object): Promise<void> {
    await this.logoutService.logout(request);
  }
}

let redis: RedisServer;
let recorded: RecordedCommands;
let client: Redis;

beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url);
  recorded = await recordCommands(redis.url);
});

afterAll(async () => {
  await recorded.stop();
  await client.quit();
  await redis.stop();
});

/** How many commands `exchange` cost; its response must be one of success. */
async function costOf(exchange: Test): Promise<number> {
  await recorded.take();
  const { status } = await exchange;
  expect(status).toBeLessThan(400);
  return (await recorded.take()).length;
}

describe.each(PLATFORMS)('Redis commands of a request on %s', (platform) => {
  let app: StartedApp;
  const get = (path: string): Test => request(app.url).get(path);
  const post = (path: string): Test => request(app.url).post(path);
  const login = (): Test => post('/login').send({ username: 'kim', password: 'kim' });

  beforeAll(async () => {
    app = await startApp(platform, {
      options: { redis: redis.url },
      controllers: [VisitsController],
      providers: [LocalStrategy],
    });
    // Redis learns the scripts: ioredis sends the text of each once.
    await post('/logout').set('Cookie', sessionCookieOf(await login()));
  });
  afterAll(() => app.close());
  beforeEach(() => client.flushall());

  describe('without a session id that could be ours', () => {
    it('is none without a cookie, and no session is stored', async () => {
      expect(await costOf(get('/'))).toBe(0);
      expect(await client.dbsize()).toBe(0);
    });

    it.each([
      ['is too short', 'abc'],
      ['has another alphabet', '%2e%2e%2f'.padEnd(43, 'A')],
      ['is too long', 'A'.repeat(44)],
      ['is empty', ''],
    ])('is none when the id in the cookie %s', async (_why, id) => {
      expect(await costOf(get('/session').set('Cookie', `SESSION=${id}`))).toBe(0);
    });

    it('is none for a cookie of another name', async () => {
      expect(await costOf(get('/session').set('Cookie', `session=${UNKNOWN_ID}`))).toBe(0);
    });
  });

  describe('of an anonymous visitor', () => {
    it.each([
      ['who asks for the session and writes nothing', 'get', '/session'],
      ['who removes an attribute that is not there', 'post', '/remove-missing'],
    ] as const)('is none for one %s', async (_who, method, path) => {
      const exchange = request(app.url)[method](path);
      expect(await costOf(exchange)).toBe(0);
      expect(sessionCookieLinesOf(await exchange)).toEqual([]);
      expect(await client.dbsize()).toBe(0);
    });

    it('is 1 when something is written to the new session', async () => {
      expect(await costOf(post('/set'))).toBe(1);
      expect(await client.dbsize()).toBe(1);
    });

    it('is 2 when the cookie names a session that is gone and something is written', async () => {
      expect(await costOf(post('/set').set('Cookie', `SESSION=${UNKNOWN_ID}`))).toBe(2);
    });
  });

  describe('with a session', () => {
    let cookie: string;

    beforeEach(async () => {
      cookie = sessionCookieOf(await post('/set'));
    });

    it.each(['/', '/session'])('is 1 when GET %s only reads', async (path) => {
      expect(await costOf(get(path).set('Cookie', cookie))).toBe(1);
    });

    it.each(['/set', '/update', '/awaited-update', '/everything'])(
      'is 2 when POST %s changes it',
      async (path) => {
        expect(await costOf(post(path).set('Cookie', cookie))).toBe(2);
      },
    );

    it('is 1 when the handler changes nothing', async () => {
      expect(await costOf(post('/remove-missing').set('Cookie', cookie))).toBe(1);
    });

    it('is 2 for a login', async () => {
      expect(await costOf(login().set('Cookie', cookie))).toBe(2);
    });

    it('is 2 for a logout', async () => {
      expect(await costOf(post('/logout').set('Cookie', cookie))).toBe(2);
      expect(await client.dbsize()).toBe(0);
    });
  });

  describe('of a user', () => {
    it('is 1 for the login of a visitor without a session', async () => {
      expect(await costOf(login())).toBe(1);
    });

    it('is 1 for a page that needs the login', async () => {
      const cookie = sessionCookieOf(await login());
      expect(await costOf(get('/me').set('Cookie', cookie))).toBe(1);
    });

    it('is none for a logout without a session', async () => {
      expect(await costOf(post('/logout'))).toBe(0);
    });
  });
});

describe.each(PLATFORMS)('Redis commands of a request with a signed cookie on %s', (platform) => {
  let app: StartedApp;

  beforeAll(async () => {
    app = await startApp(platform, {
      options: { redis: redis.url, cookie: { secrets: [SECRET] } },
      controllers: [VisitsController],
      providers: [LocalStrategy],
    });
  });
  afterAll(() => app.close());

  it('is 1 when the signature is right', async () => {
    const cookie = sessionCookieOf(await request(app.url).post('/set'));
    expect(await costOf(request(app.url).get('/session').set('Cookie', cookie))).toBe(1);
  });

  it.each([
    ['is missing', (cookie: string) => cookie.slice(0, 'SESSION='.length + 43)],
    [
      'is wrong',
      (cookie: string) => `${cookie.slice(0, -2)}${cookie.endsWith('AA') ? 'BB' : 'AA'}`,
    ],
    ['is cut off', (cookie: string) => cookie.slice(0, -1)],
    [
      'is of another id',
      (cookie: string) => cookie.replace(/SESSION=.{43}/, `SESSION=${UNKNOWN_ID}`),
    ],
  ])('is none when the signature %s', async (_what, forge) => {
    const cookie = sessionCookieOf(await request(app.url).post('/set'));
    const exchange = request(app.url).get('/session').set('Cookie', forge(cookie));
    expect(await costOf(exchange)).toBe(0);
  });
});

describe.each(PLATFORMS)('Redis commands with a touch interval on %s', (platform) => {
  const indexed: Partial<RedisSessionModuleOptions> = {
    indexed: { eventDelivery: 'none', runsWorker: false },
    repository: 'indexed',
  };

  it.each<[string, Partial<RedisSessionModuleOptions>, later: unknown]>([
    ['default: one HGETALL until a minute has passed', { touchIntervalSeconds: 60 }, 'hgetall'],
    ['indexed: the same', { touchIntervalSeconds: 60, ...indexed }, 'hgetall'],
    ['default: one script each with interval 0', { touchIntervalSeconds: 0 }, EVALSHA],
    ['default without an option: one HGETALL in a burst of reads', DEFAULT_BURST, 'hgetall'],
    ['indexed without an option: the same', { ...DEFAULT_BURST, ...indexed }, 'hgetall'],
  ])('of the repository %s', async (_name, options, later) => {
    const app = await startApp(platform, {
      options: { redis: redis.url, ...options },
      controllers: [VisitsController],
      providers: [LocalStrategy],
    });
    try {
      const cookie = sessionCookieOf(await request(app.url).post('/set'));
      const read = async (): Promise<(string | undefined)[]> => {
        await recorded.take();
        await request(app.url).get('/session').set('Cookie', cookie).expect(200);
        return (await recorded.take()).map(([name]) => name?.toLowerCase());
      };
      // The save has recorded the first access.
      expect(await read()).toEqual([later]);
      expect(await read()).toEqual([later]);
    } finally {
      await app.close();
    }
  });
});

describe.each(PLATFORMS)("Redis commands of a request with load 'lazy' on %s", (platform) => {
  let app: StartedApp;
  let cookie: string;

  beforeAll(async () => {
    app = await startApp(platform, {
      options: { redis: redis.url, load: 'lazy' },
      controllers: [VisitsController],
      providers: [LocalStrategy],
    });
    const login = request(app.url).post('/login').send({ username: 'kim', password: 'kim' });
    cookie = sessionCookieOf(await login);
  });
  afterAll(() => app.close());

  it('is none when nobody asks for the session', async () => {
    expect(await costOf(request(app.url).get('/').set('Cookie', cookie))).toBe(0);
  });

  it.each(['/session', '/me'])('is 1 when GET %s asks for it', async (path) => {
    expect(await costOf(request(app.url).get(path).set('Cookie', cookie))).toBe(1);
  });

  it('is 2 when it is changed', async () => {
    expect(await costOf(request(app.url).post('/set').set('Cookie', cookie))).toBe(2);
  });
});
