import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  LoginService,
  LogoutService,
  type RedisSessionModuleOptions,
  type Session,
} from 'nestjs-redis-session';
import { Barrier } from '../waiting/barrier.js';
import { send } from '../http/http-client.js';
import { startApp, type StartedApp } from '../apps/start-app.js';

let barrier: Barrier;

const increment = (count = 0) => count + 1;

@Controller()
class RacesController {
  constructor(
    private readonly loginService: LoginService,
    private readonly logoutService: LogoutService,
  ) {}

  @Post('login')
  async login(@Req() request: object): Promise<object> {
    await this.loginService.login(request, { username: 'kim' });
    return { done: true };
  }

  @Post('slow-login')
  async slowLogin(@Req() request: object): Promise<object> {
    await this.loginService.login(request, { username: 'kim' });
    await barrier.pass();
    return { done: true };
  }

  @Post('logout')
  async logout(@Req() request: object): Promise<object> {
    await this.logoutService.logout(request);
    return { done: true };
  }

  @Get('me')
  @Authenticated()
  me(): object {
    return { done: true };
  }

  @Get('attributes')
  attributes(@CurrentSession() session: Session): object {
    return Object.fromEntries(
      session.attributeNames.map((name) => [name, session.getAttribute(name)]),
    );
  }

  @Post('set/:name')
  set(@CurrentSession() session: Session, @Param('name') name: string): object {
    session.setAttribute(name, 'set');
    return { done: true };
  }

  @Post('slow-login-and-save')
  async slowLoginAndSave(
    @Req() request: object,
    @CurrentSession() session: Session,
  ): Promise<object> {
    await this.loginService.login(request, { username: 'kim' });
    void session.update<number>('count', increment);
    session.setAttribute('theme' as string, 'set');
    await barrier.pass();
    await session.save();
    session.setAttribute('size' as string, 'set');
    return { done: true };
  }

  @Post('slow-save-and-login')
  async slowSaveAndLogin(
    @Req() request: object,
    @CurrentSession() session: Session,
  ): Promise<object> {
    await barrier.pass();
    session.setAttribute('theme' as string, 'set');
    await session.save().catch(() => undefined);
    await this.loginService.login(request, { username: 'kim' });
    return { done: true };
  }

  @Post('slow-set/:name')
  async slowSet(@CurrentSession() session: Session, @Param('name') name: string): Promise<object> {
    await barrier.pass();
    session.setAttribute(name, 'set');
    return { done: true };
  }

  @Post('slow-set-and-send/:name')
  async slowSetAndSend(
    @CurrentSession() session: Session,
    @Param('name') name: string,
    @Res() response: { send(body: object): void },
  ): Promise<void> {
    await barrier.pass();
    session.setAttribute(name, 'set');
    response.send({ done: true });
  }

  @Post('slow-update')
  async slowUpdate(@CurrentSession() session: Session): Promise<object> {
    await barrier.pass();
    void session.update<number>('count', increment);
    return { done: true };
  }

  @Post('slow-awaited-update')
  async slowAwaitedUpdate(@CurrentSession() session: Session): Promise<object> {
    await barrier.pass();
    await session.update<number>('count', increment);
    return { done: true };
  }

  @Post('slow-awaited-id')
  async slowAwaitedId(@CurrentSession() session: Session): Promise<object> {
    await barrier.pass();
    session.changeSessionId();
    await session.save();
    return { done: true };
  }

  @Post('slow-read')
  async slowRead(): Promise<object> {
    await barrier.pass();
    return { done: true };
  }
}

/** Where the sessions of the races are. */
export interface RacePlace {
  readonly options: () => RedisSessionModuleOptions;
  /** Names of all that is stored. */
  readonly stored: () => Promise<string[]>;
  /** The name under which the session of a cookie is stored. */
  readonly nameOf: (cookie: string) => string;
  /** Ends the session of a cookie, as its time does. */
  readonly expire: (cookie: string) => Promise<void>;
  readonly clear: () => Promise<void>;
}

/** Requests on two replicas that change one session at the same time. */
export function describeRaces(place: RacePlace): void {
  describe.each(['express', 'fastify'] as const)('two replicas on %s', (platform) => {
    let replicas: [StartedApp, StartedApp];

    const start = (options: RedisSessionModuleOptions = {}) =>
      startApp(platform, {
        closesGently: true,
        controllers: [RacesController],
        options: { ...place.options(), ...options },
      });
    const login = async (cookie?: string) => {
      const answer = await send(replicas[0].port, 'POST /login', { cookie });
      return answer.cookie ?? '';
    };
    const attributesOf = async (cookie: string) =>
      JSON.parse((await send(replicas[1].port, 'GET /attributes', { cookie })).text) as Record<
        string,
        unknown
      >;
    const statusOfMe = async (cookie: string) =>
      (await send(replicas[1].port, 'GET /me', { cookie })).status;

    beforeEach(async () => {
      barrier = new Barrier();
      replicas = [await start(), await start()];
    });

    afterEach(async () => {
      barrier.open();
      for (const replica of replicas) await replica.close();
      await place.clear();
    });

    it('keep both changes when two requests change different attributes at once', async () => {
      const cookie = await login();
      const answers = [
        send(replicas[0].port, 'POST /slow-set/cart', { cookie }),
        send(replicas[1].port, 'POST /slow-set/theme', { cookie }),
      ];
      await barrier.reachedBy(2);
      barrier.open();

      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([201, 201]);
      expect(await attributesOf(cookie)).toMatchObject({ cart: 'set', theme: 'set' });
    });

    it('lose none of 50 increments that all started from the same session', async () => {
      const cookie = await login();
      const answers = Array.from({ length: 50 }, (_, index) => {
        const path = index % 4 < 2 ? 'slow-update' : 'slow-awaited-update';
        return send(replicas[index % 2]!.port, `POST /${path}`, { cookie });
      });
      await barrier.reachedBy(50);
      barrier.open();

      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([201]));
      expect(await attributesOf(cookie)).toMatchObject({ count: 50 });
    });

    it.each(['slow-set/cart', 'slow-set-and-send/cart', 'slow-update', 'slow-read'])(
      'leave a session dead that logged out during a slow request (%s), which gets its normal answer',
      async (path) => {
        const cookie = await login();
        const slow = send(replicas[0].port, `POST /${path}`, { cookie });
        await barrier.reachedBy(1);
        const logout = await send(replicas[1].port, 'POST /logout', { cookie });
        barrier.open();

        expect([logout.status, logout.cookie]).toEqual([201, 'SESSION=']);
        const { status, text, headers } = await slow;
        expect([status, text]).toEqual([201, '{"done":true}']);
        expect(headers['set-cookie']).toBeUndefined();
        expect(await statusOfMe(cookie)).toBe(401);
        expect(await place.stored()).toEqual([]);
      },
    );

    it('answer 401, not 500, to an update that is awaited after the logout', async () => {
      const cookie = await login();
      const slow = send(replicas[0].port, 'POST /slow-awaited-update', { cookie });
      await barrier.reachedBy(1);
      await send(replicas[1].port, 'POST /logout', { cookie });
      barrier.open();

      const { status, headers } = await slow;
      expect([status, headers['set-cookie']]).toEqual([401, undefined]);
      expect(await place.stored()).toEqual([]);
    });

    it('answer 401 as to others, to a new id that is awaited after the logout', async () => {
      const cookie = await login();
      const slow = send(replicas[0].port, 'POST /slow-awaited-id', { cookie });
      await barrier.reachedBy(1);
      await send(replicas[1].port, 'POST /logout', { cookie });
      barrier.open();

      const { status, headers } = await slow;
      expect([status, headers['content-type']]).toEqual([
        ...[401, 'application/problem+json; charset=utf-8'],
      ]);
      expect(headers['set-cookie']).toBeUndefined();
      expect(await place.stored()).toEqual([]);
    });

    it('leave a session dead that expired during a slow request', async () => {
      const cookie = await login();
      const slow = send(replicas[0].port, 'POST /slow-set/cart', { cookie });
      await barrier.reachedBy(1);
      await place.expire(cookie);
      barrier.open();

      const { status, headers } = await slow;
      expect([status, headers['set-cookie']]).toEqual([201, undefined]);
      expect(await place.stored()).toEqual([]);
    });

    it('let exactly one id live when one session logs in twice at once', async () => {
      const before = await login();
      const answers = [0, 1].map((index) =>
        send(replicas[index]!.port, 'POST /slow-login', { cookie: before }),
      );
      await barrier.reachedBy(2);
      barrier.open();

      const [won, lost] = (await Promise.all(answers)).sort((a, b) => a.status - b.status);
      expect([won?.status, lost?.status]).toEqual([201, 401]);
      expect(lost?.headers['set-cookie']).toBeUndefined();
      expect(await place.stored()).toEqual([place.nameOf(won?.cookie ?? '')]);
      expect(await statusOfMe(won?.cookie ?? '')).toBe(200);
      expect(await statusOfMe(before)).toBe(401);
    });

    it.each([
      ['slow-login', {}],
      ['slow-login-and-save', { count: 1, theme: 'set', size: 'set' }],
    ])(
      'log a visitor in whose session has ended meanwhile, without anything of that session (%s)',
      async (path, kept) => {
        const { cookie: before = '' } = await send(replicas[0].port, 'POST /set/cart');
        await send(replicas[0].port, 'POST /set/count', { cookie: before });
        const slow = send(replicas[0].port, `POST /${path}`, { cookie: before });
        await barrier.reachedBy(1);
        await send(replicas[1].port, 'POST /logout', { cookie: before });
        barrier.open();

        const { status, cookie: after = '' } = await slow;
        expect([status, await statusOfMe(after)]).toEqual([201, 200]);
        const { cart, count, theme, size } = await attributesOf(after);
        expect({ cart, count, theme, size }).toEqual(kept);
        expect(await place.stored()).toEqual([place.nameOf(after)]);
        expect(await statusOfMe(before)).toBe(401);
        expect((await send(replicas[1].port, 'POST /logout', { cookie: after })).status).toBe(201);
        expect(await place.stored()).toEqual([]);
      },
    );

    it.each<RedisSessionModuleOptions>([
      { flushMode: 'on-save' },
      { flushMode: 'immediate' },
      { security: { sessionFixation: 'none' } },
    ])(
      'log a visitor in although a save has found that his session has ended (%j)',
      async (options) => {
        const replica = await start(options);
        try {
          const { cookie: before = '' } = await send(replicas[0].port, 'POST /set/cart');
          const slow = send(replica.port, 'POST /slow-save-and-login', { cookie: before });
          await barrier.reachedBy(1);
          await send(replicas[1].port, 'POST /logout', { cookie: before });
          barrier.open();

          const { status, cookie: after = '' } = await slow;
          expect([status, await statusOfMe(after), await statusOfMe(before)]).toEqual([
            ...[201, 200, 401],
          ]);
          const { cart, theme } = await attributesOf(after);
          expect({ cart, theme }).toEqual({ theme: 'set' });
          expect(await place.stored()).toEqual([place.nameOf(after)]);
        } finally {
          await replica.close();
        }
      },
    );

    it('log a visitor in twice who logs in twice at once', async () => {
      const { cookie: before = '' } = await send(replicas[0].port, 'POST /set/cart');
      const answers = [0, 1].map((index) =>
        send(replicas[index]!.port, 'POST /slow-login', { cookie: before }),
      );
      await barrier.reachedBy(2);
      barrier.open();

      const logins = await Promise.all(answers);
      expect(logins.map(({ status }) => status)).toEqual([201, 201]);
      const cookies = logins.map(({ cookie = '' }) => cookie);
      expect(await Promise.all(cookies.map(statusOfMe))).toEqual([200, 200]);
      expect((await place.stored()).sort()).toEqual(cookies.map(place.nameOf).sort());
      const carts = await Promise.all(cookies.map(attributesOf));
      expect(carts.filter((attributes) => 'cart' in attributes)).toHaveLength(1);
      expect(await statusOfMe(before)).toBe(401);
    });

    it('leave the old id dead when the id changes during a slow request', async () => {
      const before = await login();
      const slow = send(replicas[0].port, 'POST /slow-set/cart', { cookie: before });
      await barrier.reachedBy(1);
      const after = await login(before);
      barrier.open();

      const { status, text, headers } = await slow;
      expect([status, text, headers['set-cookie']]).toEqual([201, '{"done":true}', undefined]);
      expect(await place.stored()).toEqual([place.nameOf(after)]);
      expect(await statusOfMe(after)).toBe(200);
      expect(await attributesOf(after)).not.toHaveProperty('cart');
    });

    it('let a logout win over a login that changes the id of the same session', async () => {
      const before = await login();
      const slow = send(replicas[0].port, 'POST /slow-login', { cookie: before });
      await barrier.reachedBy(1);
      await send(replicas[1].port, 'POST /logout', { cookie: before });
      barrier.open();

      const { status, headers } = await slow;
      expect([status, headers['set-cookie']]).toEqual([401, undefined]);
      expect(await place.stored()).toEqual([]);
    });

    it('give each of several first requests a session of its own', async () => {
      const answers = [
        send(replicas[0].port, 'POST /slow-set/cart'),
        send(replicas[0].port, 'POST /slow-set/theme'),
        send(replicas[1].port, 'POST /slow-set/size'),
      ];
      await barrier.reachedBy(3);
      barrier.open();

      const cookies = (await Promise.all(answers)).map(({ cookie = '' }) => cookie);
      expect(await Promise.all(cookies.map(attributesOf))).toEqual([
        { cart: 'set' },
        { theme: 'set' },
        { size: 'set' },
      ]);
      expect((await place.stored()).sort()).toEqual(cookies.map(place.nameOf).sort());
    });
  });
}
