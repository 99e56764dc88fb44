import { nearCache } from 'nestjs-redis-session';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post, Req, UseGuards } from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  FreshSession,
  LoginGuard,
  LogoutService,
  type RedisSessionModuleOptions,
  type Session,
} from 'nestjs-redis-session';
import { Redis } from 'ioredis';
import request, { type Test } from 'supertest';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { eventually } from '../../support/waiting/eventually.js';
import { LocalStrategy, type TestUser } from '../../support/apps/local-strategy.js';
import { type RecordedCommands, recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';
import { sessionCookieLinesOf, sessionCookieOf } from '../../support/http/session-cookie.js';

@Controller()
class AccountController {
  constructor(private readonly logoutService: LogoutService) {}

  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(): void {
    // The guard does it all.
  }

  @Post('logout')
  async logout(@Req() message: object): Promise<void> {
    await this.logoutService.logout(message);
  }

  @Get('me')
  @Authenticated()
  me(@CurrentUser() user: TestUser): TestUser {
    return user;
  }

  @Post('cart')
  add(@CurrentSession() session: Session): void {
    session.setAttribute('cart', ['pen']);
  }

  @Get('cart')
  cart(@CurrentSession() session: Session): unknown {
    return { cart: session.getAttribute('cart') ?? null };
  }
}

@Controller('fresh')
@FreshSession()
class FreshController {
  @Get('me')
  @Authenticated()
  me(@CurrentUser() user: TestUser): TestUser {
    return user;
  }

  @Get('visitor')
  visitor(@Req() message: { user?: TestUser }, @CurrentUser() user?: TestUser): unknown {
    return { user: user ?? null, shown: message.user ?? null };
  }
}

/** Reads sessions over a connection of its own, while that which reports changes goes through a proxy. */
class SplitRedis extends Redis {
  proxy: TcpProxy | undefined;

  override duplicate(override: Parameters<Redis['duplicate']>[0]): Redis {
    return super.duplicate({ ...override, port: this.proxy!.port });
  }
}

let redis: RedisServer;
let recorded: RecordedCommands;

beforeAll(async () => {
  redis = await startRedis();
  recorded = await recordCommands(redis.url);
});

afterAll(async () => {
  await recorded.stop();
  await redis.stop();
});

/** How many commands about sessions `exchange` cost; its response must be one of success. */
async function costOf(exchange: Test): Promise<number> {
  await recorded.take();
  expect((await exchange).status).toBeLessThan(400);
  const commands = await recorded.take();
  return commands.filter(([name = '']) => name.toLowerCase().startsWith('eval')).length;
}

describe.each(PLATFORMS)('nearCache on %s', (platform) => {
  const apps: StartedApp[] = [];
  const cleanups: (() => Promise<void>)[] = [];
  let here: string;
  let there: string;
  let cookie: string;

  async function start(options: RedisSessionModuleOptions = {}): Promise<string> {
    const app = await startApp(platform, {
      options: { redis: redis.url, features: [nearCache({ maxSessions: 100 })], ...options },
      controllers: [AccountController, FreshController],
      providers: [LocalStrategy],
    });
    apps.push(app);
    return app.url;
  }

  /** A replica that has read the session, and to which nothing is reported from now on. */
  async function startDeaf(): Promise<string> {
    const proxy = await startTcpProxy({ targetPort: redis.port });
    const client = new SplitRedis(redis.port, '127.0.0.1');
    client.proxy = proxy;
    const url = await start({ redis: client });
    cleanups.push(async () => {
      await proxy.refuse();
      client.disconnect();
    });
    await get(url, '/me');
    proxy.pause();
    return url;
  }

  const get = (url: string, path: string): Test => request(url).get(path).set('Cookie', cookie);
  const post = (url: string, path: string): Test => request(url).post(path).set('Cookie', cookie);

  beforeEach(async () => {
    [here, there] = [await start(), await start()];
    const login = await request(here).post('/login').send({ username: 'kim', password: 'kim' });
    cookie = sessionCookieOf(login);
    await get(there, '/me');
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    for (const clean of cleanups.splice(0)) await clean();
  });

  it('costs no command to read a session again', async () => {
    expect(await costOf(get(there, '/me'))).toBe(0);
    expect((await get(there, '/me')).body).toMatchObject({ username: 'kim' });
  });

  it('costs one command to change it', async () => {
    expect(await costOf(post(there, '/cart'))).toBe(1);
    expect((await get(there, '/cart')).body).toEqual({ cart: ['pen'] });
  });

  it('shows what another replica has changed', async () => {
    await post(here, '/cart');
    await eventually(async () => (await get(there, '/cart')).text.includes('pen'));
  });

  it('ends with a logout on another replica', async () => {
    await post(here, '/logout');
    await eventually(async () => (await get(there, '/me')).status === 401);
  });

  it('ends with a logout on another replica although no report of it ever comes', async () => {
    const deaf = await startDeaf();
    await post(here, '/logout');
    expect((await get(deaf, '/me')).status).toBe(200);
    await eventually(async () => (await get(deaf, '/me')).status === 401);
  });

  it('ends at once with a logout on this replica', async () => {
    await post(there, '/logout');
    expect((await get(there, '/me')).status).toBe(401);
  });

  it("costs no command with load 'lazy' either", async () => {
    const lazy = await start({ load: 'lazy' });
    await get(lazy, '/me');
    expect(await costOf(get(lazy, '/me'))).toBe(0);
    expect(await costOf(get(lazy, '/fresh/me'))).toBe(1);
  });

  describe('and a route with @FreshSession()', () => {
    it('costs one command', async () => {
      expect(await costOf(get(there, '/fresh/me'))).toBe(1);
      expect((await get(there, '/fresh/me')).body).toMatchObject({ username: 'kim' });
    });

    it('sees a logout on another replica at once', async () => {
      await post(here, '/logout');
      expect((await get(there, '/fresh/me')).status).toBe(401);
    });

    it('sees it although the report of it is late', async () => {
      const deaf = await startDeaf();
      await post(here, '/logout');
      expect((await get(deaf, '/me')).status).toBe(200);
      expect((await get(deaf, '/fresh/me')).status).toBe(401);
    });

    it('has no user once the session has ended', async () => {
      await post(here, '/logout');
      const response = await get(there, '/fresh/visitor');
      expect(response.body).toEqual({ user: null, shown: null });
      expect(sessionCookieLinesOf(response)).toEqual([]);
    });

    it('costs nothing for a client without a session', async () => {
      expect(await costOf(request(there).get('/fresh/visitor'))).toBe(0);
    });
  });
});
