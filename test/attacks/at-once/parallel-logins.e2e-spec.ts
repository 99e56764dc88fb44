import { Controller, Injectable, Post, Req, Res } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { describe, expect, it } from '@jest/globals';
import { LoginService, SessionRegistry } from 'nestjs-redis-session';
import { Strategy } from 'passport-local';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { type Visitor as Browser, Visitor } from '../../support/http/visitor.js';
import { Barrier } from '../../support/waiting/barrier.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const LOGINS = 12;

let barrier: Barrier;

/** Logs in, and answers by the response of the platform: Nest's interceptors do not see that. */
@Controller()
class OwnAnswerController {
  constructor(private readonly loginService: LoginService) {}

  @Post('own-answer')
  async login(
    @Req() request: object,
    @Res() response: { send(body: object): void },
  ): Promise<void> {
    await barrier.pass();
    await this.loginService.login(request, { username: KIM.username });
    response.send({ done: true });
  }
}

/** Lets all logins go on at the same moment: every one has read the session by then. */
@Injectable()
class SlowStrategy extends PassportStrategy(Strategy) {
  async validate(username: string): Promise<object> {
    await barrier.pass();
    return { username };
  }
}

const nameOf = async (browser: Browser) =>
  ((await browser.get('/')).body as { name?: string }).name;

describe.each(PLATFORMS)('Logins of two users at once with one cookie, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, {
    controllers: [...LOGIN_PARTS.controllers, OwnAnswerController],
    providers: [SlowStrategy],
  });

  it.each([
    ['change-session-id', 'default'],
    ['migrate-session', 'default'],
    ['new-session', 'default'],
    ['change-session-id', 'indexed'],
    ['migrate-session', 'indexed'],
  ] as const)(
    'give each browser its own user, and leave the cookie worth nothing (%s, %s repository)',
    async (sessionFixation, repository) => {
      const options = { repository, security: { loginPage: '/login', sessionFixation } };
      const replicas = [await start(options), await start(options)];
      const indexed = repository === 'indexed' && replicas[0]?.app.get(SessionRegistry);
      const before = indexed ? (await indexed.list('kim')).total : 0;
      const visitor = new Visitor(replicas[0]?.url ?? '');
      await visitor.open('/members');
      const planted = await visitor.cookie();
      expect(planted).toBeDefined();

      barrier = new Barrier();
      const attempts = Array.from({ length: LOGINS }, async (_, number) => {
        const browser = await visitor.twin();
        browser.url = replicas[number % 2]?.url ?? '';
        const user = number % 3 === 0 ? ADMIN : KIM;
        const { status } = await browser.post('/login', user);
        return { browser, user, status };
      });
      await barrier.reachedBy(LOGINS);
      barrier.open();

      const outcomes = await Promise.all(attempts);
      for (const { browser, user, status } of outcomes) {
        expect([status, await nameOf(browser)]).toEqual([200, user.username]);
      }
      const cookies = await Promise.all(outcomes.map(({ browser }) => browser.cookie()));
      expect(new Set([planted, ...cookies]).size).toBe(LOGINS + 1);
      expect((await visitor.get('/members')).status).toBe(401);
      if (indexed) {
        const found = await indexed.list('kim');
        expect(found.total - before).toBe(outcomes.filter(({ user }) => user === KIM).length);
      }
    },
  );

  it.each(['/login', '/own-answer'])(
    'log a visitor in under another id, although no login changes the id, when his session has ended meanwhile (%s)',
    async (path) => {
      const replica = await start({ security: { sessionFixation: 'none' } });
      const visitor = new Visitor(replica.url);
      await visitor.open('/members');
      const ended = await visitor.cookie();
      barrier = new Barrier();
      const login = visitor.post(path, KIM);
      await barrier.reachedBy(1);
      await redis.removeKeys();
      barrier.open();

      const { status } = await login;
      expect([status < 300, await nameOf(visitor)]).toEqual([true, KIM.username]);
      expect(await visitor.cookie()).not.toBe(ended);
    },
  );
});
