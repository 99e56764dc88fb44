import { type MigrationOptions, migrateFrom } from 'nestjs-redis-session/migration';
import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import supertest from 'supertest';
import { signConnectId } from '../../libs/redis-session/src/http/session-id/cookie-signature.js';
import { movedTo } from '../../libs/redis-session/src/migration/session-blob.js';
import { type RunningApp } from '../sample-app/app/app.contract.js';
import { startOnConnectRedis } from '../sample-app/setup/connect-redis.js';
import { startOnRedisSession } from '../sample-app/setup/redis-session.js';
import { useTestRedis } from '../support/redis/test-redis.js';

Logger.overrideLogger(false);

const SECRET = 'a secret of the application that was there before';
const LIBRARIES = [
  { from: 'express-session', platform: 'express' },
  { from: '@fastify/session', platform: 'fastify' },
] as const;
const DAY_MS = 24 * 60 * 60 * 1000;
const KIM = { username: 'kim', password: 'kim' };

describe.each(LIBRARIES)('sessions of $from', ({ from, platform }) => {
  const redis = useTestRedis();
  const keyPrefix = `${redis.namespace}:sess:`;
  const running: RunningApp[] = [];

  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  async function before(maxAge?: number): Promise<string> {
    const redisUrl = process.env['TEST_REDIS_URL'] ?? '';
    const age = maxAge === undefined ? {} : { maxAge };
    const app = await startOnConnectRedis(from, { redisUrl, keyPrefix, secret: SECRET, ...age });
    running.push(app);
    return app.url;
  }

  async function after(
    phase: 'share' | 'move',
    { secrets = [SECRET], ...options }: Partial<RedisSessionModuleOptions> & { secrets?: string[] },
  ): Promise<string> {
    const app = await startOnRedisSession({
      platform,
      options: {
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        features: [migrateFrom({ from, phase, secrets, keyPrefix })],
        ...options,
      },
    });
    running.push(app);
    return app.url;
  }

  /** A browser: its cookies go with it to another replica. */
  class Browser {
    readonly cookies = new Map<string, string>();

    async get(url: string, path: string): Promise<supertest.Response> {
      return this.keep(await supertest(url).get(path).set('Cookie', this.header));
    }

    async post(url: string, path: string, body = {}): Promise<supertest.Response> {
      return this.keep(await supertest(url).post(path).set('Cookie', this.header).send(body));
    }

    get header(): string {
      return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    }

    private keep(response: supertest.Response): supertest.Response {
      for (const line of (response.headers['set-cookie'] ?? []) as unknown as string[]) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '' || line.includes('Max-Age=0')) this.cookies.delete(name);
        else this.cookies.set(name, value);
      }
      return response;
    }
  }

  async function loggedIn(url: string): Promise<Browser> {
    const kim = new Browser();
    await kim.post(url, '/login', KIM);
    await kim.post(url, '/cart', { item: 'tea' });
    return kim;
  }

  const formerKeys = () => redis.client.keys(`${keyPrefix}*`);

  describe.each(['share', 'move'] as const)('in the phase "%s"', (phase) => {
    const cookies = {
      'express-session': ['connect.sid', 's:'],
      '@fastify/session': ['sessionId', ''],
    };

    /** A browser with a session that the other library has stored. */
    async function browserWith(id: string, originalMaxAge: number | null): Promise<Browser> {
      const blob = { cookie: { originalMaxAge, path: '/' }, cart: { items: ['tea'] } };
      await redis.client.set(keyPrefix + id, JSON.stringify(blob), 'EX', 100);
      const [name = '', prefix = ''] = cookies[from];
      const kim = new Browser();
      kim.cookies.set(name, encodeURIComponent(signConnectId(id, SECRET, prefix)));
      return kim;
    }

    it.each(['id with spaces', 'идентификатор 😀', 'a/b+c==;"', 'x'.repeat(1024)])(
      'are known by the id %j',
      async (id) => {
        const kim = await browserWith(id, null);
        const url = await after(phase, {});
        expect((await kim.get(url, '/cart')).body).toEqual(['tea']);
        expect((await kim.post(url, '/cart', { item: 'milk' })).body).toEqual(['tea', 'milk']);
        expect((await kim.get(url, '/cart')).body).toEqual(['tea', 'milk']);
      },
    );

    it.each([
      ['400 days', {}, 400 * DAY_MS],
      ['the absolute timeout', { absoluteTimeoutSeconds: 3600 }, 3_600_000],
    ])('live without a request for %s at most', async (_, options, longestMs) => {
      const kim = await browserWith('id', 1e14);
      const url = await after(phase, options);
      expect((await kim.get(url, '/cart')).body).toEqual(['tea']);
      await kim.post(url, '/cart', { item: 'milk' });
      const session = redis.keys.session(kim.cookies.get('SESSION') ?? '');
      const key = phase === 'share' ? `${keyPrefix}id` : session;
      const ttlMs = await redis.client.pttl(key);
      expect(ttlMs).toBeGreaterThan(longestMs / 2);
      expect(ttlMs).toBeLessThanOrEqual(longestMs);
    });

    it.each([1e300, -1e300, 0, 100 * 365 * DAY_MS])('live with the age %d', async (age) => {
      const kim = await browserWith('id', age);
      const url = await after(phase, {});
      const answer = await kim.get(url, '/cart');
      expect([answer.status, answer.text]).toEqual([200, '["tea"]']);
      expect((await kim.post(url, '/cart', { item: 'milk' })).status).toBe(200);
    });
  });

  describe('in the phase "share"', () => {
    it('are read and written where they are, by replicas of both kinds', async () => {
      const [oldUrl, newUrl] = [await before(), await after('share', {})];
      const kim = await loggedIn(oldUrl);
      const cookie = kim.header;
      expect((await kim.get(newUrl, '/me')).body).toEqual({ id: 1, name: 'kim' });
      expect((await kim.post(newUrl, '/cart', { item: 'milk' })).body).toEqual(['tea', 'milk']);
      expect((await kim.post(oldUrl, '/cart', { item: 'rice' })).body).toHaveLength(3);
      expect((await kim.get(newUrl, '/cart')).body).toEqual(['tea', 'milk', 'rice']);
      expect((await kim.get(oldUrl, '/me')).status).toBe(200);
      expect(kim.header).toBe(cookie);
      expect(await redis.client.keys(`${redis.namespace}:sessions:*`)).toEqual([]);
    });

    it('are made so that the other library knows them', async () => {
      const [oldUrl, newUrl] = [await before(), await after('share', {})];
      const kim = await loggedIn(newUrl);
      expect((await kim.get(oldUrl, '/me')).body).toEqual({ id: 1, name: 'kim' });
      expect((await kim.get(oldUrl, '/cart')).body).toEqual(['tea']);
      expect((await kim.post(oldUrl, '/logout')).status).toBe(200);
      expect((await kim.get(newUrl, '/me')).status).toBe(403);
    });

    it('end for both at a logout', async () => {
      const [oldUrl, newUrl] = [await before(), await after('share', {})];
      const kim = await loggedIn(oldUrl);
      const stolen = kim.header;
      await kim.post(newUrl, '/logout');
      for (const url of [oldUrl, newUrl]) {
        await supertest(url).get('/me').set('Cookie', stolen).expect(403);
      }
    });

    it('live as long as their cookie, and tell the other library so', async () => {
      const [oldUrl, newUrl] = [await before(), await after('share', {})];
      const kim = await loggedIn(oldUrl);
      const [key = ''] = await formerKeys();
      await redis.client.pexpire(key, 1000);
      await kim.get(newUrl, '/me');
      expect(await redis.client.pttl(key)).toBeGreaterThan(DAY_MS - 60_000);
      await kim.post(newUrl, '/remember');
      expect(await redis.client.pttl(key)).toBeGreaterThan(30 * DAY_MS - 60_000);
      const blob = JSON.parse((await redis.client.get(key)) ?? '') as { cookie: object };
      expect(blob.cookie).toMatchObject({ originalMaxAge: 30 * DAY_MS });
      expect((await kim.get(oldUrl, '/me')).status).toBe(200);
    });
  });

  describe('in the phase "move"', () => {
    it('are moved when they are first seen, with all attributes, and get our cookie', async () => {
      const kim = await loggedIn(await before());
      const url = await after('move', {});
      expect((await kim.get(url, '/me')).body).toEqual({ id: 1, name: 'kim' });
      expect([...kim.cookies.keys()]).toEqual(['SESSION']);
      expect((await kim.get(url, '/cart')).body).toEqual(['tea']);
      const [key = ''] = await formerKeys();
      const newId = movedTo((await redis.client.get(key)) ?? '') ?? '';
      expect(kim.cookies.get('SESSION')).toBe(newId);
      expect((await redis.contentOf(redis.keys.session(newId))).fields).toMatchObject({
        'sessionAttr:passport': '{"user":1}',
        'sessionAttr:cart': '{"items":["tea"]}',
        maxInactiveInterval: '1800',
      });
    });

    it('are found by requests that still come with the old cookie', async () => {
      const kim = await loggedIn(await before());
      const late = kim.header;
      const url = await after('move', {});
      const all = Array.from({ length: 8 }, () =>
        supertest(url).get('/me').set('Cookie', late).expect(200),
      );
      const ids = (await Promise.all(all)).map(({ headers }) =>
        /SESSION=([^;]+)/.exec(String(headers['set-cookie']))?.at(1),
      );
      expect(new Set(ids).size).toBe(1);
      expect(await redis.client.keys(`${redis.namespace}:sessions:*`)).toHaveLength(1);
    });

    it('leave a mark that the other library takes for no session, and does not touch', async () => {
      const oldUrl = await before();
      const kim = await loggedIn(oldUrl);
      const late = kim.header;
      const url = await after('move', {});
      await kim.get(url, '/me');
      await supertest(oldUrl).get('/me').set('Cookie', late).expect(403);
      await supertest(oldUrl).get('/cart').set('Cookie', late).expect(200, []);
      await supertest(url).get('/me').set('Cookie', late).expect(200);
    });

    it('are dead under their old cookie, too, after a logout', async () => {
      const kim = await loggedIn(await before());
      const stolen = kim.header;
      const url = await after('move', {});
      await kim.get(url, '/me');
      await kim.post(url, '/logout');
      await supertest(url).get('/me').set('Cookie', stolen).expect(403);
    });

    it('are followed by replicas that still share', async () => {
      const kim = await loggedIn(await before());
      const late = kim.header;
      const [shareUrl, moveUrl] = [await after('share', {}), await after('move', {})];
      await kim.get(moveUrl, '/me');
      expect((await kim.post(shareUrl, '/cart', { item: 'milk' })).body).toEqual(['tea', 'milk']);
      const parallel = supertest(shareUrl).get('/cart').set('Cookie', late);
      await parallel.expect(200, ['tea', 'milk']);
      expect((await kim.get(moveUrl, '/cart')).body).toEqual(['tea', 'milk']);
      await kim.post(shareUrl, '/logout');
      expect((await kim.get(moveUrl, '/me')).status).toBe(403);
      await supertest(moveUrl).get('/me').set('Cookie', late).expect(403);
    });

    it('keep a lifetime of their own', async () => {
      const oldUrl = await before(60_000);
      const [kim, root] = [await loggedIn(oldUrl), await loggedIn(oldUrl)];
      await kim.post(oldUrl, '/remember');
      const cookie = { maxAgeSeconds: 60 };
      const url = await after('move', { cookie, maxInactiveIntervalSeconds: 120 });
      const { headers } = await kim.get(url, '/me');
      expect(String(headers['set-cookie'])).toMatch(/SESSION=.*Max-Age=2592000;/);
      expect(String((await root.get(url, '/me')).headers['set-cookie'])).toContain('Max-Age=60;');
      const ttlOf = (browser: Browser) =>
        redis.client.ttl(redis.keys.session(browser.cookies.get('SESSION') ?? ''));
      expect(await ttlOf(kim)).toBeGreaterThan(29 * 86_400);
      expect(await ttlOf(root)).toBeGreaterThan(100);
      expect(await ttlOf(root)).toBeLessThanOrEqual(120);
    });

    it('need a cookie that one of the secrets has signed', async () => {
      const kim = await loggedIn(await before());
      const rotated = await after('move', { secrets: ['another secret', SECRET] });
      const strange = await after('move', { secrets: ['another secret'] });
      expect((await kim.get(strange, '/me')).status).toBe(403);
      expect((await kim.get(rotated, '/me')).status).toBe(200);
    });

    it.each(['no JSON', '[1]', '"text"', '{"passport":{"user":1}}'])(
      'are new ones when they hold %s',
      async (text) => {
        const kim = await loggedIn(await before());
        const [key = ''] = await formerKeys();
        await redis.client.set(key, text);
        const url = await after('move', {});
        expect((await kim.get(url, '/me')).status).toBe(403);
        expect((await kim.get(url, '/views')).text).toBe('1');
      },
    );
  });
});

it.each([
  [{ store: 'memory', redis: undefined }, 'migrateFrom() must be left out when store is "memory"'],
  [{ sessionIdGenerator: randomUUID }, 'sessionIdGenerator and sessionIdPattern must be left out'],
  [{ migration: { from: 'other' } }, 'migrateFrom.from must be "express-session" or "@fastify'],
  [{ migration: { secrets: [] } }, 'migrateFrom.secrets must be a list of secrets.'],
  [
    { migration: { phase: undefined } },
    'migrateFrom.phase must be "share" or "move", got undefined.',
  ],
  [{ migration: { prefix: 'x' } }, 'migrateFrom.prefix must be left out: there is no such option.'],
])('a migration refuses %j', async (wrong: object, message) => {
  const given = { from: 'express-session', phase: 'move', secrets: [SECRET] };
  const changed = 'migration' in wrong ? (wrong.migration as object) : {};
  const start = async () =>
    startOnRedisSession({
      platform: 'express',
      options: {
        redis: 'redis://127.0.0.1:1',
        ...wrong,
        features: [migrateFrom({ ...given, ...changed } as MigrationOptions)],
      },
    });
  await expect(start()).rejects.toThrow(message);
});
