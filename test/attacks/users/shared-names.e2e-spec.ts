import { describe, expect, it } from '@jest/globals';
import { Body, Controller, Post, Req } from '@nestjs/common';
import { LoginService } from 'nestjs-redis-session';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

@Controller()
class DoorController {
  constructor(private readonly loginService: LoginService) {}

  @Post('enter')
  async enter(@Req() request: object, @Body() user: object): Promise<object> {
    const { name } = await this.loginService.login(request, user);
    return { name };
  }
}

const DISPLAY_NAME = 'John Smith';

describe.each(PLATFORMS)('Two users of one display name, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);

  it.each([
    [{ username: 'john', sub: '1' }, 'john'],
    [{ username: null, sub: 's-1', id: 2 }, 's-1'],
    [{ id: 7, email: 'john@example.org' }, '7'],
    [{ email: 'john@example.org' }, 'john@example.org'],
    [{}, DISPLAY_NAME],
  ])('are told apart by what is their own: %j is known as %j', async (fields, name) => {
    const { client } = await start({}, { controllers: [DoorController] });
    const login = await client.post('/enter').send({ name: DISPLAY_NAME, ...fields });
    expect(login.body).toEqual({ name });
  });

  it('are warned of once when sessions are found by that name alone', async () => {
    const log = new LoggedLines();
    const { client } = await start(
      { repository: 'indexed' },
      { controllers: [DoorController], prepare: (app) => app.useLogger(log) },
    );
    await client.post('/enter').send({ name: DISPLAY_NAME, id: 1 });
    expect(log.text).not.toContain('others may share');
    await client.post('/enter').send({ name: DISPLAY_NAME });
    await client.post('/enter').send({ name: DISPLAY_NAME });
    expect(log.text.match(/others may share/g)).toHaveLength(1);
    expect(log.text).not.toContain(DISPLAY_NAME);
  });
});
