import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Post } from '@nestjs/common';
import { CurrentSession, type RedisSessionModuleOptions, type Session } from 'nestjs-redis-session';
import { Redis } from 'ioredis';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { send } from '../../support/http/http-client.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

/** How often an update is tried. */
const MOST_ATTEMPTS = 32;

/** So many updates at the same time keep a process busy. */
const EACH = 100;

const encryption = { keys: [Buffer.alloc(32, 1).toString('base64')] };
const REPOSITORIES: [string, RedisSessionModuleOptions][] = [
  ['the default repository', {}],
  ['the indexed repository', { repository: 'indexed' }],
  ['encrypted sessions', { hashIds: true, encryption }],
];

/** Stands for another process: writes to the session on the library's own connection, right before each of its saves. */
class Disturber {
  remaining = 0;
  attempts = 0;
  write: (id: string) => void = () => undefined;

  disturb(id: string): void {
    this.attempts += 1;
    if (this.remaining === 0) return;
    this.remaining -= 1;
    this.write(id);
  }
}

@Controller('counter')
class CounterController {
  constructor(@Inject(Disturber) private readonly disturber: Disturber) {}

  @Get()
  show(@CurrentSession() session: Session): object {
    return { count: session.getAttribute<number>('count') ?? 'none' };
  }

  @Post('begin')
  begin(@CurrentSession() session: Session): void {
    session.setAttribute<number>('count', 1);
  }

  @Post()
  increment(@CurrentSession() session: Session): void {
    session.update<number>('count', (count = 0) => {
      this.disturber.disturb(session.id);
      return count + 1;
    });
  }
}

describe.each(PLATFORMS)('An update that another process disturbs, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  const client = new Redis(process.env['TEST_REDIS_URL'] ?? '', { lazyConnect: true });

  beforeAll(() => client.connect());
  afterAll(() => client.quit());

  const begin = async () => {
    const disturber = new Disturber();
    let written = 1000;
    disturber.write = (id) => {
      written += 1;
      void client.hset(redis.keys.session(id), 'sessionAttr:count', String(written));
    };
    const app = await start(
      { redis: client },
      {
        controllers: [CounterController],
        providers: [{ provide: Disturber, useValue: disturber }],
      },
    );
    const cookie = sessionCookieOf(await app.client.post('/counter/begin'));
    const increment = () => app.client.post('/counter').set('Cookie', cookie);
    const show = async () =>
      (await app.client.get('/counter').set('Cookie', cookie)).body as object;
    return { disturber, increment, show };
  };

  it('is tried again, and takes what the other has written', async () => {
    const { disturber, increment, show } = await begin();
    disturber.remaining = MOST_ATTEMPTS - 1;
    expect((await increment()).status).toBe(201);
    expect(await show()).toEqual({ count: 1000 + MOST_ATTEMPTS });
  });

  it('ends in 503 after 32 attempts, and writes nothing', async () => {
    const { disturber, increment, show } = await begin();
    disturber.remaining = Infinity;
    expect((await increment()).status).toBe(503);
    expect(disturber.attempts).toBeLessThanOrEqual(MOST_ATTEMPTS + 1);
    expect(await show()).toEqual({ count: 1000 + disturber.attempts });
    disturber.remaining = 0;
    expect((await increment()).status).toBe(201);
    expect(await show()).toEqual({ count: 1001 + disturber.attempts - 1 });
  });

  it.each(REPOSITORIES)(
    'is saved when two processes are busy with the same attribute, in %s',
    async (_, options) => {
      const parts = {
        controllers: [CounterController],
        providers: [{ provide: Disturber, useValue: new Disturber() }],
      };
      const processes = [await start(options, parts), await start(options, parts)] as const;
      const cookie = sessionCookieOf(await processes[0].client.post('/counter/begin'));
      const answers = await Promise.all(
        processes.flatMap(({ url }) =>
          Array.from({ length: EACH }, () => send(url, 'POST /counter', { cookie })),
        ),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
      const { body } = await send(processes[0].url, 'GET /counter', { cookie });
      expect(body).toEqual({ count: 1 + 2 * EACH });
    },
  );
});
