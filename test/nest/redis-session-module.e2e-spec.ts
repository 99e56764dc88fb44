import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Cluster } from 'ioredis';
import {
  RedisSessionModule,
  type RedisSessionModuleOptions,
  SessionOptionError,
  nearCache,
} from 'nestjs-redis-session';
import { expressSession } from 'nestjs-redis-session/express-session';
import request from 'supertest';
import { type AppParts, placeOf, PLATFORMS, startApp } from '../support/apps/start-app.js';
import { sessionCookieOf } from '../support/http/session-cookie.js';
import { SESSION_ROUTES, sessionViewOf } from '../support/apps/session-controller.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const PLACE = Symbol('PLACE');

describe.each(PLATFORMS)('RedisSessionModule on %s', (platform) => {
  const redis = useTestRedis();
  const place = { ...placeOf(redis), maxInactiveIntervalSeconds: 77 };

  @Injectable()
  class SessionSettings {
    createRedisSessionOptions(): RedisSessionModuleOptions {
      return place;
    }
  }

  @Module({
    providers: [SessionSettings, { provide: PLACE, useValue: place }],
    exports: [SessionSettings, PLACE],
  })
  class SettingsModule {}

  async function keepsSessions(imports: AppParts['imports']): Promise<boolean> {
    const app = await startApp(platform, {
      imports: imports ?? [],
      ...SESSION_ROUTES,
    });
    try {
      const first = await request(app.url).put('/attributes').send({ a: 1 });
      const next = await request(app.url).get('/session').set('Cookie', sessionCookieOf(first));
      const { attributes, maxInactiveIntervalSeconds } = sessionViewOf(next);
      return attributes['a'] === 1 && maxInactiveIntervalSeconds === 77;
    } finally {
      await app.close();
    }
  }

  describe('forRootAsync', () => {
    it.each([
      ['useFactory', () => RedisSessionModule.forRootAsync({ useFactory: () => place })],
      [
        'useFactory with a promise and injected providers',
        () =>
          RedisSessionModule.forRootAsync({
            imports: [SettingsModule],
            inject: [PLACE],
            useFactory: (options: RedisSessionModuleOptions) => Promise.resolve(options),
          }),
      ],
      ['useClass', () => RedisSessionModule.forRootAsync({ useClass: SessionSettings })],
      [
        'useExisting',
        () =>
          RedisSessionModule.forRootAsync({
            imports: [SettingsModule],
            useExisting: SessionSettings,
          }),
      ],
    ])('takes the options from %s', async (_way, sessions) => {
      expect(await keepsSessions([sessions()])).toBe(true);
    });

    it('fails the start when the options are refused', async () => {
      const useFactory = () => ({ ...place, maxInactiveIntervalSeconds: 0 });
      const start = keepsSessions([RedisSessionModule.forRootAsync({ useFactory })]);
      await expect(start).rejects.toThrow(
        'maxInactiveIntervalSeconds must be -1 (never) or a positive integer, got 0.',
      );
    });
  });

  it('fails the start with one sentence when Redis is not there', async () => {
    const start = startApp(platform, { options: { redis: 'redis://127.0.0.1:1' } });
    await expect(start).rejects.toThrow(/^Cannot reach Redis: .*ECONNREFUSED/);
  });

  it('is the same for every module of the application', async () => {
    expect(await keepsSessions([SettingsModule, RedisSessionModule.forRoot(place)])).toBe(true);
  });
});

describe('RedisSessionModule.forRoot', () => {
  const redis = 'redis://127.0.0.1:6379';
  const cluster = new Cluster([redis], { lazyConnect: true });

  it.each([
    ['redis', {}],
    ['redis', { store: 'memory', redis }],
    ['absoluteTimeoutSeconds', { redis, absoluteTimeoutSeconds: 1.5 }],
    ['clock', { redis, clock: 'now' }],
    ['codec', { redis, codec: 'json' }],
    ['commandTimeoutMs', { redis, commandTimeoutMs: 0 }],
    ['cookie', { redis, cookie: {}, sessionIdResolver: {} }],
    ['cookie.sameSite', { redis, cookie: { sameSite: 'some' } }],
    ['cookie.secrets', { redis, cookie: { secrets: ['short'] } }],
    ['cookie.secure', { redis, cookie: { sameSite: 'none', secure: false } }],
    ['cookie.secure', { redis, cookie: { name: '__Host-SESSION' } }],
    ['cookie.signed', { redis, cookie: { signed: true } }],
    ['exclude', { redis, exclude: '/healthz' }],
    ['flushMode', { redis, flushMode: 'later' }],
    ['load', { redis, load: 'never' }],
    ['maxInactiveIntervalSeconds', { redis, maxInactiveIntervalSeconds: 0 }],
    ['namespace', { redis, namespace: 'with space' }],
    ['onCorrupt', { redis, onCorrupt: 'ignore' }],
    ['onStoreUnavailable', { redis, onStoreUnavailable: 'retry' }],
    ['saveMode', { redis, saveMode: 'sometimes' }],
    ['security', { redis, security: true }],
    ['security.loginPage', { redis, security: { loginPage: '' } }],
    ['security.defaultSuccessPath', { redis, security: { defaultSuccessPath: '//elsewhere' } }],
    ['security.csrf', { redis, security: { csrf: 'yes' } }],
    ['sessionIdGenerator', { redis, sessionIdGenerator: 'uuid' }],
    ['sessionIdPattern', { redis, sessionIdPattern: '.*' }],
    ['store', { redis, store: 'disk' }],
    ['touchIntervalSeconds', { redis, touchIntervalSeconds: 1800 }],
    ['ttl', { redis, ttl: 60 }],
  ])('names the option %s when it refuses %j', (name, options) => {
    const refusal = refusalOf(() => RedisSessionModule.forRoot(options as never));
    expect(refusal).toBeInstanceOf(SessionOptionError);
    expect(refusal).toHaveProperty('code', 'ERR_SESSION_OPTION');
    expect((refusal as Error).message.split(' ', 1)).toEqual([name]);
  });

  it.each<[string, () => RedisSessionModuleOptions]>([
    ['nearCache.maxSessions', () => ({ redis, features: [nearCache({} as never)] })],
    ['nearCache.maxSessions', () => ({ redis, features: [nearCache({ maxSessions: 0 })] })],
    [
      'nearCache.flushIntervalMs',
      () => ({ redis, features: [nearCache({ maxSessions: 1, flushIntervalMs: 450_001 })] }),
    ],
    [
      'nearCache.ttlMs',
      () => ({ redis, features: [nearCache({ maxSessions: 1, ttlMs: 1 } as never)] }),
    ],
    ['nearCache()', () => ({ store: 'memory', features: [nearCache({ maxSessions: 1 })] })],
    [
      'nearCache()',
      () => ({ redis, repository: 'indexed', features: [nearCache({ maxSessions: 1 })] }),
    ],
    [
      'nearCache()',
      () => ({ redis: { nodes: [redis] }, features: [nearCache({ maxSessions: 1 })] }),
    ],
    ['nearCache()', () => ({ redis: cluster, features: [nearCache({ maxSessions: 1 })] })],
    ['load', () => ({ redis, load: 'lazy', features: [expressSession()] })],
    ['saveMode', () => ({ redis, saveMode: 'on-set-attribute', features: [expressSession()] })],
    [
      'expressSession.pasport',
      () => ({ redis, features: [expressSession({ pasport: true } as never)] }),
    ],
    ['features', () => ({ redis, features: 'near-cache' as never })],
    ['features', () => ({ redis, features: ['near-cache' as never] })],
  ])('names the option %s when a feature refuses it', (name, optionsOf) => {
    const refusal = refusalOf(() => RedisSessionModule.forRoot(optionsOf()));
    expect(refusal).toBeInstanceOf(SessionOptionError);
    expect((refusal as Error).message.split(' ', 1)).toEqual([name]);
  });

  it.each([
    ['migration', 'migrateFrom'],
    ['nearCache', 'nearCache({ maxSessions: 10_000 })'],
    ['passportSession', 'expressSession({ passport: true })'],
    ['requestSession', 'expressSession()'],
  ])('says what to use in place of the former option %s', (name, feature) => {
    const refusal = refusalOf(() => RedisSessionModule.forRoot({ redis, [name]: true }));
    expect((refusal as Error).message).toContain(`Use features: [${feature}`);
  });

  it.each([
    [{ redis, maxInactiveIntervalSecond: 60 }, 'Did you mean maxInactiveIntervalSeconds?'],
    [{ redis, cookie: { samesite: 'lax' } }, 'Did you mean cookie.sameSite?'],
    [
      { redis, security: { logout: { successpath: '/' } } },
      'Did you mean security.logout.successPath?',
    ],
    [{ redis, secret: 'x' }, 'there is no such option. Use cookie.secrets.'],
    [{ redis, ttl: 60 }, 'there is no such option. Use maxInactiveIntervalSeconds.'],
    [{ redis, prefix: 'shop' }, 'there is no such option. Use namespace.'],
    [{ redis, resave: false }, 'there is no such option. Leave it out: only changed sessions'],
    [{ redis, cookie: { maxAge: 60 } }, 'Did you mean cookie.maxAgeSeconds?'],
    [undefined, 'redis must be given: a url such as "redis://localhost:6379"'],
    [{ redis: 'http://localhost:6379' }, 'redis must be a url such as "redis://localhost:6379"'],
  ])('answers %j with one clear sentence', (options, sentence) => {
    const refusal = refusalOf(() => RedisSessionModule.forRoot(options as never));
    expect((refusal as Error).message).toContain(sentence);
    expect((refusal as Error).message).not.toContain('http://');
  });

  it('shows no secret in a refusal', () => {
    const cookie = { secrets: ['too-short-secret'] };
    const refusal = refusalOf(() => RedisSessionModule.forRoot({ redis, cookie }));
    expect(String(refusal)).not.toContain('too-short-secret');
    const password = { port: 'x', password: 'pa55word' } as never;
    const other = refusalOf(() =>
      RedisSessionModule.forRoot({ redis: password, load: 1 as never }),
    );
    expect(String(other)).not.toContain('pa55word');
  });
});

function refusalOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
