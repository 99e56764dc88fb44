import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post } from '@nestjs/common';
import {
  AuthorizeBy,
  CurrentSession,
  type RedisSessionModuleOptions,
  type Session,
} from 'nestjs-redis-session';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { send } from '../../support/http/http-client.js';
import { NAVIGATION } from '../../support/http/visitor.js';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { Barrier } from '../../support/waiting/barrier.js';

let barrier: Barrier;

interface Cart {
  readonly count: number;
}

@Controller()
class MembersController {
  /** Requests wait here with the session that they have read, and are refused all at once. */
  @Get('members/:page')
  @AuthorizeBy(() => barrier.pass().then(() => false))
  members(): string {
    return 'members';
  }

  @Post('cart')
  async fill(@CurrentSession() session: Session): Promise<object> {
    await barrier.pass();
    const cart = await session.update<string[]>('cart', (items = []) => [...items, 'tea']);
    return { count: cart?.length };
  }
}

describe.each(PLATFORMS)('Many requests of one visitor at the same time, on %s', (platform) => {
  let redis: RedisServer;
  let app: StartedApp;

  beforeAll(async () => {
    redis = await startRedis();
  });

  const start = async (options: RedisSessionModuleOptions = {}) => {
    barrier = new Barrier();
    app = await startApp(platform, {
      controllers: [MembersController],
      options: { redis: redis.url, security: { loginPage: '/login' }, ...options },
    });
  };

  afterEach(() => app.close());

  afterAll(() => redis.stop());

  const open = (page: number, cookie?: string) =>
    send(app.url, `GET /members/${page}`, { ...NAVIGATION, cookie });

  /** Visits a page, so that there is a session. @returns its cookie */
  const beginSession = async () => {
    const first = open(0);
    await barrier.reachedBy(1);
    barrier.open();
    const { cookie = '' } = await first;
    barrier = new Barrier();
    return cookie;
  };

  /** Of the indexed repository those that name the session of a cookie: its worker sends others now and then. */
  const commandsOf = (sent: string[][], cookie: string, repository: 'default' | 'indexed') => {
    if (repository === 'default') return sent;
    const stablePrefix = cookie.slice('SESSION='.length).slice(0, 8);
    return sent.filter((command) => command.join(' ').includes(stablePrefix));
  };

  const { pageOfEach, samePage, savedPage } = {
    pageOfEach: (index: number) => index,
    samePage: () => 1,
    savedPage: () => 0,
  };

  it.each([
    // 300 is many times the number of attempts that one save has.
    [
      'one command each when 300 are of the page that is saved already',
      300,
      savedPage,
      1,
      'default',
    ],
    ['two commands each when 300 are of one page', 300, samePage, 2, 'default'],
    ['three commands each when 2,000 are of a page each', 2_000, pageOfEach, 3, 'default'],
    ['three commands each when 300 are of a page each', 300, pageOfEach, 3, 'indexed'],
  ] as const)('cost Redis %s', async (...attack) => {
    const [, requests, pageOf, commandsEach, repository] = attack;
    await start({ repository });
    const cookie = await beginSession();
    const commands = await recordCommands(redis.url);
    const answers = Array.from({ length: requests }, (_item, index) => open(pageOf(index), cookie));
    await barrier.reachedBy(requests);
    barrier.open();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    const sent = commandsOf(await commands.take(), cookie, repository);
    await commands.stop();
    expect(new Set(statuses)).toEqual(new Set([302]));
    expect(sent.length).toBeGreaterThanOrEqual(requests);
    expect(sent.length).toBeLessThanOrEqual(commandsEach * requests);
  });

  it.each(['default', 'indexed'] as const)(
    'cost Redis three commands each when 300 fill one cart, and none of them is lost (%s repository)',
    async (repository) => {
      await start({ repository });
      const cookie = await beginSession();
      const commands = await recordCommands(redis.url);
      const fill = () => send(app.url, 'POST /cart', { cookie });
      const answers = Array.from({ length: 300 }, fill);
      await barrier.reachedBy(300);
      barrier.open();
      const counts = (await Promise.all(answers)).map(({ body }) => (body as Cart).count);
      const sent = commandsOf(await commands.take(), cookie, repository);
      await commands.stop();
      expect(new Set(counts).size).toBe(300);
      expect(Math.max(...counts)).toBe(300);
      expect(sent.length).toBeLessThanOrEqual(3 * 300);
    },
  );

  it('get 503 together when Redis hangs: one deadline after the other would last for a minute', async () => {
    await start({ commandTimeoutMs: 1000 });
    const cookie = await beginSession();
    const answers = Array.from({ length: 60 }, (_item, index) => open(index + 1, cookie));
    await barrier.reachedBy(60);
    await redis.kill('SIGSTOP');
    try {
      barrier.open();
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([503]));
    } finally {
      await redis.kill('SIGCONT');
    }
  });
});
