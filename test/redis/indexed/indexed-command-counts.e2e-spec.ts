import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post, Req, UseGuards } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  type IndexedSessionOptions,
  LoginGuard,
  LogoutService,
  type Session,
} from 'nestjs-redis-session';
import request, { type Test } from 'supertest';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { LocalStrategy, type TestUser } from '../../support/apps/local-strategy.js';
import { type RecordedCommands, recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';

@Controller()
class VisitsController {
  constructor(private readonly logoutService: LogoutService) {}

  @Get('me')
  @Authenticated()
  me(@CurrentUser() user: TestUser): TestUser {
    return user;
  }

  @Post('set')
  set(@CurrentSession() session: Session): void {
    session.setAttribute<number>('visited', Date.now());
  }

  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(): void {
    // The guard does it all.
  }

  @Post('logout')
  async logout(@Req() request: object): Promise<void> {
    await this.logoutService.logout(request);
  }
}

const KIM = { username: 'kim', password: 'kim' };
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

async function costOf(exchange: Test): Promise<number> {
  await recorded.take();
  const { status } = await exchange;
  expect(status).toBeLessThan(400);
  return (await recorded.take()).length;
}

/** The third column of docs/storage.md, then the fourth. */
const CASES = [
  ['sorted-set', { read: 1, change: 2, login: 3, loginAgain: 4, logout: 3 }],
  ['minute-buckets', { read: 2, change: 4, login: 5, loginAgain: 6, logout: 6 }],
] as const satisfies [IndexedSessionOptions['expirationStore'], object][];

describe.each(PLATFORMS)('Redis commands of indexed sessions on %s', (platform) => {
  describe.each(CASES)('%s', (expirationStore, costs) => {
    let app: StartedApp;
    const post = (path: string): Test => request(app.url).post(path);

    async function visitorCookie(): Promise<string> {
      return sessionCookieOf(await post('/set'));
    }

    async function userCookie(): Promise<string> {
      return sessionCookieOf(await post('/login').send(KIM));
    }

    beforeAll(async () => {
      app = await startApp(platform, {
        options: {
          redis: redis.url,
          repository: 'indexed',
          // The request after a save would not record its access.
          touchIntervalSeconds: 0,
          // Events are recorded by the same scripts; the worker has commands of its own.
          indexed: { eventDelivery: 'none', expirationStore, runsWorker: false },
        },
        controllers: [VisitsController],
        providers: [LocalStrategy],
      });
      // Redis learns the scripts: ioredis sends the text of each once.
      const cookie = await userCookie();
      await request(app.url).get('/me').set('Cookie', cookie);
      await post('/logout').set('Cookie', cookie);
    });
    afterAll(() => app.close());
    beforeEach(() => client.flushall());

    it(`are ${costs.read} for a request that reads`, async () => {
      const cookie = await userCookie();
      expect(await costOf(request(app.url).get('/me').set('Cookie', cookie))).toBe(costs.read);
    });

    it(`are ${costs.change} for a request that changes an attribute`, async () => {
      const cookie = await userCookie();
      expect(await costOf(post('/set').set('Cookie', cookie))).toBe(costs.change);
    });

    it(`are ${costs.login} for the login of a visitor`, async () => {
      const cookie = await visitorCookie();
      expect(await costOf(post('/login').set('Cookie', cookie).send(KIM))).toBe(costs.login);
    });

    it(`are ${costs.loginAgain} for a login in a session that has a user`, async () => {
      const cookie = await userCookie();
      expect(await costOf(post('/login').set('Cookie', cookie).send(KIM))).toBe(costs.loginAgain);
    });

    it(`are ${costs.logout} for a logout`, async () => {
      const cookie = await userCookie();
      expect(await costOf(post('/logout').set('Cookie', cookie))).toBe(costs.logout);
    });
  });
});
