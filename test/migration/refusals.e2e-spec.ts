import { createHmac, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post } from '@nestjs/common';
import { CurrentSession, type RedisSessionModuleOptions, type Session } from 'nestjs-redis-session';
import { migrateFrom } from 'nestjs-redis-session/migration';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { placeOf, startApp, type StartedApp } from '../support/apps/start-app.js';
import { useTestRedis } from '../support/redis/test-redis.js';

@Controller()
class CartController {
  @Get('cart')
  cart(@CurrentSession() session: Session): object {
    return { cart: session.getAttribute('cart') ?? [] };
  }

  /** A name that the other library uses itself. */
  @Post('cookie')
  cookie(@CurrentSession() session: Session): string {
    session.setAttribute<string>('cookie', 'mine');
    return 'set';
  }

  @Post('biscuit')
  biscuit(@CurrentSession() session: Session): string {
    session.setAttribute<string>('biscuit', 'mine');
    return 'set';
  }
}

const SECRET = 'the secret of the old application';
const STORED = JSON.stringify({ cookie: { originalMaxAge: null, path: '/' }, cart: ['tea'] });

describe('A session of the other library', () => {
  const redis = useTestRedis();
  const log = new LoggedLines();
  let app: StartedApp | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
    log.clear();
  });

  const start = async (
    phase: 'share' | 'move',
    options: RedisSessionModuleOptions = {},
  ): Promise<void> => {
    const keyPrefix = `${redis.namespace}:sess:`;
    const features = [
      migrateFrom({ from: 'express-session', phase, secrets: [SECRET], keyPrefix }),
    ];
    app = await startApp('express', {
      log,
      controllers: [CartController],
      options: { ...placeOf(redis), logger: log, features, ...options },
    });
  };

  /** @returns the `Cookie` header of its client, and its key */
  const store = async (text: string): Promise<{ cookie: string; key: string }> => {
    const id = randomUUID();
    const key = `${redis.namespace}:sess:${id}`;
    await redis.client.set(key, text, 'EX', 86_400);
    const signature = createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '');
    return { cookie: `connect.sid=${encodeURIComponent(`s:${id}.${signature}`)}`, key };
  };
  const ask = (cookie: string, route = 'GET /cart') => {
    const [method, path = ''] = route.split(' ');
    const { client } = app!;
    const sent = method === 'GET' ? client.get(path) : client.post(path);
    return sent.set('Cookie', cookie);
  };

  it.each([
    ['share', 'Cannot read a session of the other library: it is not JSON.'],
    ['move', 'Cannot move a session: it is not JSON.'],
  ] as const)(
    'fails its requests in phase %j if onCorrupt says so, until its key is deleted',
    async (phase, problem) => {
      await start(phase, { onCorrupt: 'error' });
      const { cookie, key } = await store('no JSON');
      expect((await ask(cookie)).status).toBe(500);
      expect(log.text).toContain(`${problem} Delete the key; the client gets a new session.`);
      await redis.client.del(key);
      expect((await ask(cookie)).body).toEqual({ cart: [] });
    },
  );

  it('gets a new one and one line when it cannot be moved', async () => {
    await start('move');
    const { cookie } = await store('no JSON');
    expect((await ask(cookie)).body).toEqual({ cart: [] });
    expect(log.lines.filter((line) => line.includes('Cannot'))).toEqual([
      expect.stringContaining(
        'Cannot move a session: it is not JSON. Its client gets a new session.',
      ),
    ]);
    const other = await store(STORED);
    expect((await ask(other.cookie)).body).toEqual({ cart: ['tea'] });
    await app?.close();
    expect(log.text).toContain('Moved 1 sessions of express-session; 1 could not be read.');
  });

  it('takes no attribute under the name that the other library uses, and any other', async () => {
    await start('share');
    const { cookie } = await store(STORED);
    expect((await ask(cookie, 'POST /cookie')).status).toBe(500);
    expect(log.text).toContain(
      'Cannot save the session: cookie is a name that the other library uses itself. Choose another name.',
    );
    expect((await ask(cookie, 'POST /biscuit')).status).toBe(201);
    expect((await ask(cookie)).body).toEqual({ cart: ['tea'] });
  });
});
