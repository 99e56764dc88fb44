import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Authenticated } from 'nestjs-redis-session';
import request from 'supertest';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';

const PARALLEL_REQUESTS = 100;
const BROWSER = { Accept: 'text/html' };

@Controller()
class MembersController {
  @Get('members/:page')
  @Authenticated()
  members(): string {
    return 'members';
  }
}

describe.each(PLATFORMS)('Many requests of one visitor at the same time, on %s', (platform) => {
  let redis: RedisServer;
  let app: StartedApp;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterEach(() => app.close());

  afterAll(() => redis.stop());

  it.each([
    ['of one page', () => '/members/1', 2],
    ['of a page each', (index: number) => `/members/${index}`, 3],
  ])('cost Redis a few commands each when they are %s', async (_, pathOf, commandsEach) => {
    app = await startApp(platform, {
      controllers: [MembersController],
      options: { redis: redis.url, security: { loginPage: '/login' } },
    });
    const client = request(app.url);
    const cookie = sessionCookieOf(await client.get('/members/0').set(BROWSER));
    const commands = await recordCommands(redis.url);
    const answers = await Promise.all(
      Array.from({ length: PARALLEL_REQUESTS }, (_item, index) =>
        client.get(pathOf(index)).set({ ...BROWSER, Cookie: cookie }),
      ),
    );
    const sent = await commands.take();
    await commands.stop();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([302]));
    expect(sent.length).toBeLessThanOrEqual(commandsEach * PARALLEL_REQUESTS + 1);
  });
});
