import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { Controller, Get, Logger, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RedisStore } from 'connect-redis';
import type express from 'express';
import expressSession from 'express-session';
import { describe, expect, it } from '@jest/globals';
import { session } from 'nestjs-redis-session/express-session';
import passport from 'passport';
import { createClient } from 'redis';
import supertest from 'supertest';
import { describeSampleApp, type RunningApp } from '../../sample-app/app/app.contract.js';
import { AppModule } from '../../sample-app/app/app.module.js';

type Options = Parameters<typeof session>[0];
const secret = 'a secret of the sample app';
const given = { secret, resave: false, saveUninitialized: false };

Logger.overrideLogger(false);

/** The sample application with a middleware of this kind. */
async function start(middleware: ReturnType<typeof session>): Promise<RunningApp> {
  const app = await NestFactory.create(AppModule);
  app.use(middleware);
  app.use(passport.session());
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), close: () => app.close() };
}

describeSampleApp('the sample app on session() with a MemoryStore', () =>
  start(session({ ...given, store: new expressSession.MemoryStore() })),
);

describe('session() beside express-session', () => {
  it('reads and writes its sessions, and the other way round', async () => {
    const shared = {
      ...given,
      store: new expressSession.MemoryStore(),
      cookie: { maxAge: 60_000 },
    };
    const here = await start(session(shared));
    const there = await start(expressSession(shared) as never);
    const first = await supertest(here.url).post('/cart').send({ item: 'tea' }).expect(200);
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
    const second = supertest(there.url).post('/cart').set('Cookie', cookie);
    await second.send({ item: 'milk' }).expect(200, ['tea', 'milk']);
    await supertest(here.url).get('/cart').set('Cookie', cookie).expect(200, ['tea', 'milk']);
    await Promise.all([here.close(), there.close()]);
  });

  it('does not know a session whose signature is wrong', async () => {
    const store = new expressSession.MemoryStore();
    const app = await start(session({ ...given, store }));
    const first = await supertest(app.url).post('/cart').send({ item: 'tea' }).expect(200);
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
    const last = cookie.endsWith('A') ? 'B' : 'A';
    const forged = cookie.slice(0, -1) + last;
    await supertest(app.url).get('/cart').set('Cookie', forged).expect(200, []);
    const unsigned = cookie.replace(/\..*$/, '');
    await supertest(app.url).get('/cart').set('Cookie', unsigned).expect(200, []);
    await app.close();
  });
});

describe('session()', () => {
  class BrokenStore extends expressSession.MemoryStore {
    override set(_id: string, _data: unknown, callback?: (error?: unknown) => void): void {
      callback?.(new Error('full'));
    }
  }

  it('answers 503 when the store refuses, and sets no cookie', async () => {
    const app = await start(session({ ...given, store: new BrokenStore() }));
    const { headers } = await supertest(app.url).get('/views').expect(503);
    expect(headers['set-cookie']).toBeUndefined();
    await app.close();
  });

  it('lets no byte leave before the store has the session', async () => {
    const seen: string[] = [];
    class SlowStore extends expressSession.MemoryStore {
      override set(id: string, data: never, callback?: (error?: unknown) => void): void {
        setTimeout(() => {
          seen.push('stored');
          super.set(id, data, callback);
        }, 50);
      }
    }
    const app = await start(session({ ...given, store: new SlowStore() }));
    const response = await fetch(`${app.url}/views`);
    seen.push('headers');
    await response.text();
    expect(seen).toEqual(['stored', 'headers']);
    await app.close();
  });

  it('says at start which defaults are not those of express-session', () => {
    const lines: string[] = [];
    const warn = (line: string) => void lines.push(line);
    session({ secret, store: new expressSession.MemoryStore(), logger: { warn, error: warn } });
    expect(lines).toEqual([
      'resave is false unless it is given; in express-session it is true.',
      'saveUninitialized is false unless it is given; in express-session it is true.',
    ]);
  });

  it('says at start that the secret is missing', () => {
    const lines: string[] = [];
    const warn = (line: string) => void lines.push(line);
    const shared = { resave: false, saveUninitialized: false, logger: { warn, error: warn } };
    session({ ...shared, store: new expressSession.MemoryStore() });
    expect(lines).toEqual([
      'secret is missing: requests fail unless other middleware has set req.secret.',
    ]);
  });

  it.each([
    [{ secret: '' }, 'secret must be'],
    [{ store: undefined }, 'store must be'],
    [{ unset: 'other' }, 'unset must be'],
    [{ secret: [] }, 'secret must be'],
    [{ genid: 'x' }, 'genid must be a function'],
    [{ cookie: 42 }, 'cookie must be an object of cookie options'],
    [
      { cookie: { maxAge: '1 day' } },
      'cookie must be an object of cookie options, with maxAge in milliseconds',
    ],
    [{ savUninitialized: true }, 'Did you mean saveUninitialized?'],
  ])('refuses %j', (wrong, message) => {
    const store = new expressSession.MemoryStore();
    expect(() => session({ ...given, store, ...wrong } as Options)).toThrow(message);
  });
});

/** What a handler of a server without a framework does with `req.session`. */
const ACTIONS: Readonly<Record<string, (request: express.Request, done: () => void) => void>> = {
  '/read': (_request, done) => done(),
  '/write': ({ session }, done) => {
    Object.assign(session, { cart: ['tea'] });
    done();
  },
  '/nested': ({ session }, done) => {
    (session as unknown as { cart?: string[] }).cart?.push('milk');
    done();
  },
  '/lasting': ({ session }, done) => {
    session.cookie.maxAge = 3_600_000;
    done();
  },
  '/regenerate': ({ session }, done) => session.regenerate(done),
  '/save-and-undo': ({ session }, done) => {
    const attributes = session as unknown as { draft?: string };
    attributes.draft = 'x';
    session.save(() => {
      delete attributes.draft;
      done();
    });
  },
  '/destroy': ({ session }, done) => void session.destroy(done),
  '/null': (request, done) => {
    Object.assign(request, { session: null });
    done();
  },
};

const ROUNDS = [
  ['/read', '/write', '/read', '/nested', '/null', '/read', '/destroy', '/read'],
  ['/write', '/lasting', '/read', '/write', '/regenerate', '/read', '/destroy', '/write'],
  ['/save-and-undo', '/read', '/null', '/save-and-undo', '/nested'],
];

/** All combinations of the options that decide when something is stored and told. */
const COMBINATIONS = [false, true].flatMap((resave) =>
  [false, true].flatMap((saveUninitialized) =>
    [false, true].flatMap((rolling) =>
      (['keep', 'destroy'] as const).flatMap((unset) =>
        [{}, { maxAge: 60_000 }].map((cookie) => ({
          ...{ resave, saveUninitialized, rolling, unset, cookie },
        })),
      ),
    ),
  ),
);

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** Makes all requests of the rounds, and tells after each what a client and the store can see. */
async function observe(
  middleware: Middleware,
  store: expressSession.MemoryStore,
): Promise<unknown[]> {
  const server = createServer((request, response) => {
    middleware(request, response, () => {
      ACTIONS[request.url ?? '']?.(request as express.Request, () => response.end('done'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seen: unknown[] = [];
  for (const round of ROUNDS) {
    const agent = supertest.agent(url);
    for (const path of round) {
      const { status, headers } = await agent.get(path);
      const [name, value, ...attributes] = String(headers['set-cookie']).split(/=|; /);
      const stored = (store as unknown as { sessions: Record<string, string> }).sessions;
      const blobs = Object.values(stored).map((text) => JSON.parse(text) as object);
      seen.push({
        path,
        status,
        cookie: [name, value?.slice(0, 4), attributes.filter((part) => !part.endsWith('GMT'))],
        stored: blobs.map((blob) => ({ ...blob, cookie: undefined })),
        lasts: (blobs as { cookie: expressSession.Cookie }[]).map(({ cookie }) =>
          inSeconds(cookie.originalMaxAge),
        ),
      });
    }
  }
  server.close();
  return seen;
}

/** The two do not look at the clock in the same millisecond. */
function inSeconds(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms / 1000);
}

describe('session() does what express-session does', () => {
  it.each(COMBINATIONS)('with %j', async (options) => {
    const stores = [new expressSession.MemoryStore(), new expressSession.MemoryStore()] as const;
    const theirs = expressSession({ secret, ...options, store: stores[0] }) as never;
    const ours = session({ secret, ...options, store: stores[1] });
    expect(await observe(ours, stores[1])).toEqual(await observe(theirs, stores[0]));
  });

  it('renews the life of a session that is written to', async () => {
    const store = new expressSession.MemoryStore();
    const ends: number[] = [];
    const set = store.set.bind(store);
    store.set = (id, data, callback) => {
      ends.push(Date.now() + (data.cookie.maxAge ?? 0));
      set(id, data, callback);
    };
    const app = await start(session({ ...given, store, cookie: { maxAge: 60_000 } }));
    const visitor = supertest.agent(app.url);
    await visitor.get('/views');
    const afterFirst = Date.now();
    while (Date.now() === afterFirst) await visitor.get('/me');
    await visitor.get('/views').expect(200, '2');
    expect(ends[1]).toBeGreaterThan(afterFirst + 59_999);
    await app.close();
  });

  it('takes lists of secrets, of which the first signs', async () => {
    const store = new expressSession.MemoryStore();
    const old = await start(session({ ...given, secret: 'old', store }));
    const cookie = String((await supertest(old.url).get('/views')).headers['set-cookie']);
    const both = await start(session({ ...given, secret: [Buffer.from('new'), 'old'], store }));
    await supertest(both.url).get('/views').set('Cookie', cookie).expect(200, '2');
    const fresh = String((await supertest(both.url).get('/views')).headers['set-cookie']);
    await supertest(old.url).get('/views').set('Cookie', fresh).expect(200, '1');
    await Promise.all([old.close(), both.close()]);
  });

  it('believes X-Forwarded-Proto with proxy: true, and names ids by genid', async () => {
    const options = { ...given, proxy: true, name: 'sid', genid: () => `id-${n++}` };
    let n = 1;
    const app = await start(
      session({ ...options, store: new expressSession.MemoryStore(), cookie: { secure: true } }),
    );
    const plain = await supertest(app.url).get('/views');
    expect(plain.headers['set-cookie']).toBeUndefined();
    const secure = await supertest(app.url).get('/views').set('X-Forwarded-Proto', 'https');
    expect(String(secure.headers['set-cookie'])).toMatch(/^sid=s%3Aid-2\..*; Secure/);
    await app.close();
  });

  it('takes the store of connect-redis, and functions of an Express request', async () => {
    const client = createClient({ url: process.env['TEST_REDIS_URL'] ?? '' });
    await client.connect();
    const prefix = `test:${randomUUID()}:`;
    const app = await start(
      session({
        ...given,
        store: new RedisStore({ client, prefix }),
        genid: (request: express.Request) => `${request.method}-${randomUUID()}`,
        cookie: (request: express.Request) => ({ secure: request.secure, maxAge: 60_000 }),
      }),
    );
    const visitor = supertest.agent(app.url);
    await visitor.post('/cart').send({ item: 'tea' }).expect(200, ['tea']);
    await visitor.post('/cart').send({ item: 'milk' }).expect(200, ['tea', 'milk']);
    const [key = ''] = await client.keys(`${prefix}POST-*`);
    expect(await client.pTTL(key)).toBeGreaterThan(50_000);
    await client.del(key);
    await client.close();
    await app.close();
  });
});

describe('session() on Fastify', () => {
  it('gives the raw request its session', async () => {
    @Controller()
    class RawController {
      @Get('views')
      views(@Req() request: { raw: { session: { views?: number } } }): string {
        const { session } = request.raw;
        session.views = (session.views ?? 0) + 1;
        return String(session.views);
      }
    }
    @Module({ controllers: [RawController] })
    class RawModule {}
    const app = await NestFactory.create(RawModule, new FastifyAdapter());
    app.use(session({ ...given, store: new expressSession.MemoryStore() }));
    await app.listen(0, '127.0.0.1');
    const visitor = supertest.agent(await app.getUrl());
    await visitor.get('/views').expect(200, '1');
    await visitor.get('/views').expect(200, '2');
    await app.close();
  });
});
