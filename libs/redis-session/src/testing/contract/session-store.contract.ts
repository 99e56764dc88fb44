import { type AddressInfo } from 'node:net';
import { Controller, Get, type INestApplication, Module, Param, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Authenticated } from '../../nest/access/authorization.decorators.js';
import { CurrentSession } from '../../nest/current.decorators.js';
import { LoginService } from '../../nest/login/login.service.js';
import { LogoutService } from '../../nest/login/logout.service.js';
import { RedisSessionModule } from '../../nest/redis-session.module.js';
import { isOwnAttribute } from '../../session/attributes/attribute-names.js';
import { type MapSession } from '../../session/map-session.js';
import { type SessionStore } from '../../session/session-store.js';
import { afterEach, beforeEach, describe, expect, it } from './test-functions.js';

/** Holds requests that have read their session until the test lets them go on. */
class Gate {
  private waiting: (() => void)[] = [];
  private onArrival: () => void = () => undefined;

  pass(): Promise<void> {
    const isOpen = new Promise<void>((resolve) => this.waiting.push(resolve));
    this.onArrival();
    return isOpen;
  }

  /** Resolves when so many requests wait. */
  async reachedBy(count: number): Promise<void> {
    while (this.waiting.length < count)
      await new Promise<void>((resolve) => (this.onArrival = resolve));
  }

  open(): void {
    for (const go of this.waiting.splice(0)) go();
  }
}

function createController(gate: Gate) {
  @Controller()
  class RacesController {
    constructor(
      private readonly logins: LoginService,
      private readonly logouts: LogoutService,
    ) {}

    @Post('login')
    async login(@Req() request: object): Promise<void> {
      await this.logins.login(request, { username: 'kim' });
    }

    @Post('slow-login')
    async slowLogin(@Req() request: object): Promise<void> {
      await this.login(request);
      await gate.pass();
    }

    @Post('logout')
    async logout(@Req() request: object): Promise<void> {
      await this.logouts.logout(request);
    }

    @Post('slow-set/:name')
    async set(@CurrentSession() session: MapSession, @Param('name') name: string): Promise<void> {
      await gate.pass();
      session.setAttribute(name, 1);
    }

    @Post('slow-count')
    async count(@CurrentSession() session: MapSession): Promise<void> {
      await gate.pass();
      void session.update<number>('count', (count = 0) => count + 1);
    }

    @Get('attributes')
    @Authenticated()
    attributes(@CurrentSession() session: MapSession): object {
      const names = session.attributeNames.filter((name) => !isOwnAttribute(name));
      return Object.fromEntries(names.map((name) => [name, session.getAttribute(name)]));
    }
  }
  return RacesController;
}

interface Reply {
  readonly status: number;
  readonly text: string;
  /** '' = none was set */
  readonly cookie: string;
}

async function send(app: INestApplication, route: string, cookie = ''): Promise<Reply> {
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const [method = '', path = ''] = route.split(' ');
  const url = `http://127.0.0.1:${port}${path}`;
  const answer = await fetch(url, { method, headers: { connection: 'close', cookie } });
  const [set = ''] = answer.headers.getSetCookie();
  return { status: answer.status, text: await answer.text(), cookie: set.split(';')[0] ?? '' };
}

/**
 * What two applications on one store keep when requests change a session at the same time. Each test starts two Nest
 * applications on Express, and holds their requests between the read of the session and its save.
 *
 * @param createStore - makes a store for one application; the stores of a test share their sessions
 */
export function describeSessionStore(name: string, createStore: () => SessionStore): void {
  describe(`${name}, two replicas`, () => {
    let gate: Gate;
    let replicas: readonly [INestApplication, INestApplication];
    const started: INestApplication[] = [];
    let cookie: string;

    async function start(): Promise<INestApplication> {
      @Module({
        imports: [RedisSessionModule.forRoot({ store: createStore() })],
        controllers: [createController(gate)],
      })
      class AppModule {}
      const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
      started.push(app);
      await app.listen(0, '127.0.0.1');
      return app;
    }

    /** Sends the request to one replica after the other, and waits until all have read the session. */
    async function hold(route: string, count: number): Promise<Promise<Reply>[]> {
      const replies = Array.from({ length: count }, (_, i) =>
        send(replicas[i % 2 ? 1 : 0], route.replace('#', String(i)), cookie),
      );
      // A request that is answered without reaching the gate ends the wait: the test then shows its answer.
      await Promise.race([gate.reachedBy(count), ...replies]);
      return replies;
    }

    async function goOn(replies: readonly Promise<Reply>[]): Promise<Reply[]> {
      gate.open();
      return Promise.all(replies);
    }

    const attributes = (of = cookie) => send(replicas[1], 'GET /attributes', of);

    beforeEach(async () => {
      gate = new Gate();
      cookie = '';
      replicas = [await start(), await start()];
      cookie = (await send(replicas[0], 'POST /login')).cookie;
    });

    afterEach(async () => {
      gate.open();
      if (cookie !== '') await send(replicas[0], 'POST /logout', cookie);
      await Promise.all(started.splice(0).map((app) => app.close()));
    });

    it('know a login and a logout of each other', async () => {
      expect((await attributes()).status).toBe(200);
      await send(replicas[1], 'POST /logout', cookie);
      expect((await send(replicas[0], 'GET /attributes', cookie)).status).toBe(401);
    });

    it('keep what two requests set at the same time', async () => {
      await goOn(await hold('POST /slow-set/of#', 2));
      expect(JSON.parse((await attributes()).text)).toEqual({ of0: 1, of1: 1 });
    });

    it('lose none of 20 updates that began with the same session', async () => {
      await goOn(await hold('POST /slow-count', 20));
      expect(JSON.parse((await attributes()).text)).toEqual({ count: 20 });
    });

    it('leave a session dead that was logged out during a slow request', async () => {
      const held = await hold('POST /slow-set/late', 1);
      await send(replicas[1], 'POST /logout', cookie);
      const [reply] = await goOn(held);
      expect([reply?.status, reply?.cookie]).toEqual([201, '']);
      expect((await attributes()).status).toBe(401);
    });

    it('let one id live when a session logs in twice at the same time', async () => {
      const replies = await goOn(await hold('POST /slow-login', 2));
      expect(replies.map(({ status }) => status).sort()).toEqual([201, 401]);
      expect((await attributes()).status).toBe(401);
      cookie = replies.find(({ status }) => status === 201)?.cookie ?? '';
      expect((await attributes()).status).toBe(200);
    });

    it('drop what a request sets under an id that has changed meanwhile', async () => {
      const held = await hold('POST /slow-set/late', 1);
      const after = await send(replicas[1], 'POST /login', cookie);
      await goOn(held);
      expect((await attributes()).status).toBe(401);
      cookie = after.cookie;
      expect((await attributes()).text).toBe('{}');
    });

    it('let a logout win over a login that is under way', async () => {
      const held = await hold('POST /slow-login', 1);
      await send(replicas[1], 'POST /logout', cookie);
      const [reply] = await goOn(held);
      expect([reply?.status, reply?.cookie]).toEqual([401, '']);
    });
  });
}
