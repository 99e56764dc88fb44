import { randomUUID } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Module, Param, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { RedisStore } from 'connect-redis';
import expressSession from 'express-session';
import { createClient } from 'redis';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { recordCommands } from '../support/redis/redis-monitor.js';
import { startRedis } from '../support/redis/redis-server.js';
import { Barrier } from '../support/waiting/barrier.js';

type RequestWithSession = {
  session: Record<string, unknown> & { destroy(done: () => void): void };
};

let handlers: Barrier;
let saves: Barrier;
let failsToSave: boolean;

@Controller()
class PeerController {
  @Get()
  read(): object {
    return { done: true };
  }

  @Post('set/:name')
  set(@Req() { session }: RequestWithSession, @Param('name') name: string): object {
    session[name] = 'set';
    return { done: true };
  }

  @Post('slow-set/:name')
  async slowSet(@Req() { session }: RequestWithSession, @Param('name') name: string) {
    await handlers.pass();
    session[name] = 'set';
    return { done: true };
  }

  @Get('names')
  names(@Req() { session }: RequestWithSession): string[] {
    return Object.keys(session).filter((name) => session[name] === 'set');
  }

  @Post('logout')
  logout(@Req() { session }: RequestWithSession): Promise<object> {
    return new Promise((resolve) => session.destroy(() => resolve({ done: true })));
  }
}

@Module({ controllers: [PeerController] })
class PeerModule {}

/** Waits for {@link saves} before each save. */
class SlowStore extends RedisStore {
  override async set(...args: Parameters<RedisStore['set']>): Promise<void> {
    await saves.pass();
    if (failsToSave) args[2]?.(new Error('full'));
    else await super.set(...args);
  }
}

const secret = 'a secret that is long enough for both';
const peers = {
  'express-session': async (store: RedisStore): Promise<INestApplication> => {
    const app = await NestFactory.create(PeerModule, { logger: false });
    app.use(expressSession({ secret, store, resave: true, saveUninitialized: true }));
    return app;
  },
  '@fastify/session': async (store: RedisStore): Promise<INestApplication> => {
    const adapter = new FastifyAdapter();
    const app = await NestFactory.create<NestFastifyApplication>(PeerModule, adapter, {
      logger: false,
    });
    await app.register(fastifyCookie);
    await app.register(fastifySession, { secret, store, cookie: { secure: false } });
    return app;
  },
};

describe.each(['express-session', '@fastify/session'] as const)(
  'docs/comparison.md says of %s with connect-redis and its defaults',
  (peer) => {
    let redis: RedisServer;
    let client: ReturnType<typeof createClient>;
    let app: INestApplication;
    let url: string;

    beforeAll(async () => {
      redis = await startRedis();
      client = createClient({ url: redis.url });
      await client.connect();
    });

    afterAll(async () => {
      await client.close();
      await redis.stop();
    });

    beforeEach(async () => {
      handlers = new Barrier();
      saves = new Barrier();
      failsToSave = false;
      app = await peers[peer](new SlowStore({ client, prefix: `${randomUUID()}:` }));
      await app.listen(0, '127.0.0.1');
      url = await app.getUrl();
    });

    afterEach(async () => {
      handlers.open();
      saves.open();
      await app.close();
    });

    const send = (path: string, cookie = '', method = 'POST') =>
      fetch(`${url}/${path}`, { method, headers: { cookie } });
    const cookieOf = (response: Response) => response.headers.getSetCookie()[0]?.split(';')[0];
    const start = async () => {
      saves.open();
      const response = await send('set/first');
      await response.text();
      return cookieOf(response) ?? '';
    };
    const namesOf = async (cookie: string) =>
      (await (await send('names', cookie, 'GET')).json()) as string[];

    it('when the response leaves, and what a failed save becomes', async () => {
      failsToSave = true;
      const answer = send('set/first');
      await saves.reachedBy(1);
      if (peer === 'express-session') {
        // Headers and body come while the save waits, but for the last byte.
        const early = await answer;
        const chunks = early.body?.pipeThrough(new TextDecoderStream()).getReader();
        expect([early.status, (await chunks?.read())?.value]).toEqual([201, '{"done":true']);
        saves.open();
        expect((await chunks?.read())?.value).toBe('}');
      } else {
        saves.open();
        expect((await answer).status).toBe(500);
      }
    });

    it('that the last of two parallel changes wins', async () => {
      const cookie = await start();
      const answers = ['cart', 'theme'].map((name) => send(`slow-set/${name}`, cookie));
      await handlers.reachedBy(2);
      handlers.open();
      for (const answer of await Promise.all(answers)) await answer.text();
      expect(await namesOf(cookie)).toHaveLength(2); // the first attribute, and one of the two
    });

    it('that a request in flight revives a session after its logout', async () => {
      const cookie = await start();
      const slow = send('slow-set/cart', cookie);
      await handlers.reachedBy(1);
      await (await send('logout', cookie)).text();
      handlers.open();
      await (await slow).text();
      expect(await namesOf(cookie)).toContain('first');
    });

    it('which commands a request costs', async () => {
      const cookie = await start();
      const commands = await recordCommands(redis.url);
      const costs = async (path: string, given: string, method?: string) => {
        await (await send(path, given, method)).text();
        return (await commands.take()).map(([name]) => name);
      };
      expect(await costs('', cookie, 'GET')).toEqual(['GET', 'SET']);
      expect(await costs('set/cart', cookie)).toEqual(['GET', 'SET']);
      expect(await costs('', '', 'GET')).toEqual(['SET']);
      await commands.stop();
    });
  },
);
