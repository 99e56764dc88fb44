import {
  Controller,
  Get,
  HttpCode,
  Post,
  Session as RequestSession,
  UseGuards,
} from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { LoginGuard } from 'nestjs-redis-session';
import { type ExpressSession, expressSession } from 'nestjs-redis-session/express-session';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { Visitor } from '../../support/http/visitor.js';
import { startRedis } from '../../support/redis/redis-server.js';

/** A login whose handler goes on with `req.session`, as code that was written for express-session does. */
@Controller()
class CountingController {
  @Post('login-and-count')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  async logIn(@RequestSession() session: ExpressSession): Promise<void> {
    session['logins'] = 1;
    await session.save();
  }

  @Get('logins')
  logins(@RequestSession() session: ExpressSession): object {
    return { logins: session['logins'] };
  }
}

const LINE =
  'Cannot delete the session that a login has replaced: the store failed. Its user stays logged in there until it expires; check that the store accepts writes.';

let server: RedisServer;
let control: Redis;

beforeAll(async () => {
  server = await startRedis();
  control = new Redis(server.url);
});

afterAll(async () => {
  await control.quit();
  await server.stop();
});

describe.each(PLATFORMS)('a Redis that fails once a login is stored, on %s', (platform) => {
  let app: StartedApp;
  const log = new LoggedLines();

  const start = async (
    sessionFixation: 'migrate-session' | 'new-session',
    maximumSessionsPolicy: 'expire-oldest' | 'reject-login' = 'reject-login',
  ) => {
    log.clear();
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, CountingController],
      log,
      options: {
        redis: server.url,
        features: [expressSession()],
        repository: 'indexed',
        indexed: { maximumSessions: 1, maximumSessionsPolicy },
        security: { loginPage: '/login', sessionFixation },
      },
    });
    return new Visitor(app.url);
  };
  /** Nothing can be deleted meanwhile, all else works. */
  const logInWithoutDeletions = async (visitor: Visitor, path = '/login') => {
    await control.acl('SETUSER', 'default', '-del');
    try {
      return (await visitor.post(path, KIM)).status;
    } finally {
      await control.acl('SETUSER', 'default', '+del');
    }
  };

  afterEach(async () => {
    await app.close();
    await control.flushall();
  });

  it.each(['migrate-session', 'new-session'] as const)(
    'does not take it back: one line tells that the session before lives on (%s)',
    async (sessionFixation) => {
      const visitor = await start(sessionFixation);
      await visitor.post('/login', ADMIN);
      const before = await visitor.twin();
      expect(await logInWithoutDeletions(visitor)).toBe(200);
      expect((await visitor.get('/')).body).toMatchObject({ name: 'kim' });
      expect((await new Visitor(app.url).post('/login', KIM)).status).toBe(401);
      expect(log.lines.filter((line) => line.includes(LINE))).toHaveLength(1);
      for (const each of [visitor, before])
        expect(log.text).not.toContain((await each.cookie())?.slice(8));
      expect((await before.get('/')).body).toMatchObject({ name: 'admin' });
    },
  );

  it.each(['migrate-session', 'new-session'] as const)(
    'logs nobody in by an id that was planted before (%s)',
    async (sessionFixation) => {
      const visitor = await start(sessionFixation);
      await visitor.open('/members');
      const attacker = await visitor.twin();
      expect(await attacker.cookie()).toBeDefined();
      expect(await logInWithoutDeletions(visitor)).toBe(200);
      expect((await visitor.get('/members')).status).toBe(200);
      expect((await attacker.get('/members')).status).toBe(401);
    },
  );

  it('lets the handler of the login save more in `req.session`', async () => {
    const visitor = await start('new-session');
    await visitor.post('/login', ADMIN);
    expect(await logInWithoutDeletions(visitor, '/login-and-count')).toBe(200);
    expect((await visitor.get('/logins')).body).toEqual({ logins: 1 });
    expect((await visitor.get('/')).body).toMatchObject({ name: 'kim' });
  });

  it('stores no login while the session before cannot be deleted, where none is refused', async () => {
    const visitor = await start('new-session', 'expire-oldest');
    await visitor.post('/login', ADMIN);
    expect(await logInWithoutDeletions(visitor)).toBe(503);
    expect((await visitor.get('/')).body).toMatchObject({ name: 'admin' });
    expect(log.text).not.toContain(LINE);
  });
});
