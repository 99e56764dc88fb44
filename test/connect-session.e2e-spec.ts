import { NestFactory } from '@nestjs/core';
import { Logger } from '@nestjs/common';
import expressSession from 'express-session';
import { describe, expect, it } from '@jest/globals';
import { session } from 'nestjs-redis-session';
import passport from 'passport';
import supertest from 'supertest';
import { describeSampleApp, type RunningApp } from './sample-app/app/app.contract.js';
import { AppModule } from './sample-app/app/app.module.js';

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

  it.each([
    [{ secret: '' }, 'secret must be'],
    [{ store: undefined }, 'store must be'],
    [{ unset: 'other' }, 'unset must be'],
  ])('refuses %j', (wrong, message) => {
    const store = new expressSession.MemoryStore();
    expect(() => session({ ...given, store, ...wrong } as Options)).toThrow(message);
  });
});
