import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { AuthorizeBy } from 'nestjs-redis-session';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { send } from '../../support/http/http-client.js';
import { NAVIGATION } from '../../support/http/visitor.js';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { Barrier } from '../../support/waiting/barrier.js';

let barrier: Barrier;

@Controller()
class MembersController {
  /** Requests wait here with the session that they have read, and are refused all at once. */
  @Get('members/:page')
  @AuthorizeBy(() => barrier.pass().then(() => false))
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

  beforeEach(async () => {
    barrier = new Barrier();
    app = await startApp(platform, {
      controllers: [MembersController],
      options: { redis: redis.url, security: { loginPage: '/login' } },
    });
  });

  afterEach(() => app.close());

  afterAll(() => redis.stop());

  const open = (page: number, cookie?: string) =>
    send(app.url, `GET /members/${page}`, { ...NAVIGATION, cookie });

  it.each([
    // 300 is many times the number of attempts that one save has.
    ['one command each when 300 are of the page that is saved already', 300, () => 0, 1],
    ['two commands each when 300 are of one page', 300, () => 1, 2],
    ['three commands each when 2,000 are of a page each', 2_000, (index: number) => index, 3],
  ])('cost Redis %s', async (_, requests, pageOf, commandsEach) => {
    const first = open(0);
    await barrier.reachedBy(1);
    barrier.open();
    const { cookie } = await first;
    const commands = await recordCommands(redis.url);
    barrier = new Barrier();
    const answers = Array.from({ length: requests }, (_item, index) => open(pageOf(index), cookie));
    await barrier.reachedBy(requests);
    barrier.open();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    const sent = await commands.take();
    await commands.stop();
    expect(new Set(statuses)).toEqual(new Set([302]));
    expect(sent.length).toBeLessThanOrEqual(commandsEach * requests);
  });
});
