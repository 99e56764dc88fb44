import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { describe, expect, it } from '@jest/globals';
import { CurrentUser, LoginGuard } from 'nestjs-redis-session';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { ADMIN, KIM, TestStrategy } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

class OwnPropertyGuard extends LoginGuard('local') {
  override getAuthenticateOptions(): object {
    return { property: 'member' };
  }
}

@Controller()
class DoorController {
  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser('username') name: string): object {
    return { name };
  }

  @Post('login-of-guard')
  @UseGuards(OwnPropertyGuard)
  loginOfGuard(@CurrentUser('username') name: string): object {
    return { name };
  }

  @Get('whoami')
  whoAmI(@CurrentUser('username') name: string | undefined): object {
    return { name };
  }
}

describe.each(PLATFORMS)('A login whose user passport puts elsewhere, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);

  it.each([
    ['/login', { property: 'account' }],
    ['/login', {}],
    ['/login-of-guard', {}],
    ['/login-of-guard', { property: 'account' }],
  ])(
    'logs in who has typed the password, and nobody who was there before: %s, %j',
    async (path, options) => {
      const { url } = await start(
        {},
        {
          imports: [PassportModule.register(options)],
          controllers: [DoorController],
          providers: [TestStrategy],
        },
      );
      const visitor = new Visitor(url);
      for (const user of [ADMIN, KIM]) {
        expect((await visitor.post(path, user)).body).toEqual({ name: user.username });
        expect((await visitor.get('/whoami')).body).toEqual({ name: user.username });
      }
    },
  );
});
