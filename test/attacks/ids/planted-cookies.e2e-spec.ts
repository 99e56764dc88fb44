import { describe, expect, it } from '@jest/globals';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import request, { type Response } from 'supertest';
import { PLATFORMS, type StartedApp, useApps } from '../../support/apps/start-app.js';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import { SESSION_ROUTES, sessionViewOf } from '../../support/apps/session-controller.js';
import { TestClock } from 'nestjs-redis-session/testing';
import { useTestRedis } from '../../support/redis/test-redis.js';

/** Cookies of ids that the server could have made. */
const planted = (count: number) =>
  Array.from({ length: count }, (_, number) => `SESSION=${`planted_${number}_`.padEnd(43, 'x')}`);

/** The most that still fits into the headers of one request. */
const AS_MANY_AS_FIT = 250;

describe.each(PLATFORMS)('Cookies that somebody else has planted, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);

  const nameSession = async ({ client }: StartedApp, owner: string) =>
    sessionCookieOf(await client.put('/attributes').send({ owner }));
  const sessionOf = async ({ client }: StartedApp, cookies: readonly string[]) =>
    sessionViewOf(await client.get('/session').set('Cookie', cookies.join('; ')));

  it.each<[string, string[], RedisSessionModuleOptions]>([
    ['five', planted(5), {}],
    ['fifteen', planted(15), {}],
    ['fifteen', planted(15), { repository: 'indexed' }],
    ['fifteen', planted(15), { hashIds: true }],
    ['fifteen', planted(15), { store: 'memory' }],
    ['two hundred that could be none of ours', Array<string>(200).fill('SESSION=planted'), {}],
    ['two hundred of one id', Array<string>(200).fill(planted(1)[0] ?? ''), {}],
  ])('lock nobody out: %s', async (_which, cookies, options) => {
    const app = await start(options);
    const own = await nameSession(app, 'kim');
    for (const all of [
      [...cookies, own],
      [own, ...cookies],
    ]) {
      expect((await sessionOf(app, all)).attributes).toEqual({ owner: 'kim' });
    }
  });

  it('lose against a session that began later, wherever they stand', async () => {
    const clock = new TestClock();
    const app = await start({ clock: clock.now });
    const former = await nameSession(app, 'mallory');
    clock.advanceSeconds(1);
    const own = await nameSession(app, 'kim');
    for (const cookies of [
      [former, own],
      [own, former],
    ]) {
      expect((await sessionOf(app, cookies)).attributes).toEqual({ owner: 'kim' });
    }
  });

  it('count as no access to the session that was planted', async () => {
    const clock = new TestClock();
    const app = await start({ clock: clock.now });
    const former = await nameSession(app, 'mallory');
    clock.advanceSeconds(60);
    const own = await nameSession(app, 'kim');
    clock.advanceSeconds(60);
    const { lastAccessedTime, creationTime } = await sessionOf(app, [former, own]);
    expect(lastAccessedTime - creationTime).toBe(60_000);
    clock.advanceSeconds(1700);
    expect((await sessionOf(app, [former])).isNew).toBe(true);
    expect((await sessionOf(app, [own])).isNew).toBe(false);
  });

  it('cost one command, however many there are', async () => {
    const app = await start();
    const commands = await recordCommands(process.env['TEST_REDIS_URL'] ?? '');
    const answer: Response = await request(app.url)
      .get('/session')
      .set('Cookie', planted(AS_MANY_AS_FIT).join('; '));
    const own = (await commands.take()).filter((line) => line.join(' ').includes(redis.namespace));
    await commands.stop();
    expect(answer.status).toBe(200);
    expect(own).toHaveLength(1);
  });

  it.each([/^[\w-]{43}$/g, /^[\w-]{43}$/y, /^[\w-]{43}$/gy])(
    'are told from ours at every request by the pattern %s',
    async (sessionIdPattern) => {
      const app = await start({ sessionIdPattern });
      const own = await nameSession(app, 'kim');
      for (const cookies of [[own], [own], [...planted(3), own]]) {
        expect((await sessionOf(app, cookies)).attributes).toEqual({ owner: 'kim' });
      }
    },
  );
});
