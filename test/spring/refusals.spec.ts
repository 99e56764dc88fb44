import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  nearCache,
  type RedisSessionModuleOptions,
  SessionOptionError,
} from 'nestjs-redis-session';
import { CookieRequestCache, SessionRequestCache } from 'nestjs-redis-session/http';
import { migrateFrom } from 'nestjs-redis-session/migration';
import { mongoSessions } from 'nestjs-redis-session/mongo';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { springSession } from 'nestjs-redis-session/spring';
import { resolveOptions } from '../../libs/redis-session/src/nest/options/resolve-options.js';

const url = 'redis://127.0.0.1:6379';
const postgres = postgresSessions({ pool: 'postgres://127.0.0.1/shop' });
const SECRETS = { secrets: ['x'.repeat(32)] };
const lazy = { lazyConnect: true };

function resolve(options: RedisSessionModuleOptions): ReturnType<typeof resolveOptions> {
  return resolveOptions({ redis: url, features: [springSession()], ...options });
}

describe('springSession()', () => {
  it('sets what must be the same on both sides', () => {
    const { namespace, cookie, sessionIdGenerator, sessionIdPattern } = resolve({});
    expect(namespace).toBe('spring:session');
    expect(cookie).toMatchObject({ name: 'SESSION', encoding: 'base64', path: '/' });
    expect(sessionIdGenerator()).toMatch(sessionIdPattern);
    expect('33fdd1b6-b496-4b33-9f7d-df96679d32fe').toMatch(sessionIdPattern);
  });

  it('refuses Java serialization in PostgreSQL at start, and names the bean that is needed', () => {
    const features = [springSession({ serialization: 'jdk' })];
    expect(() => resolve({ redis: undefined, store: postgres, features })).toThrow(
      /store must be left out .+ springSessionConversionService/,
    );
  });

  it('keeps what Spring can be told, too', () => {
    const { namespace, cookie } = resolve({
      namespace: 'shop:sessions',
      cookie: { name: 'SHOP', sameSite: 'strict', secure: true },
    });
    expect(namespace).toBe('shop:sessions');
    expect(cookie).toMatchObject({ name: 'SHOP', encoding: 'base64', sameSite: 'strict' });
  });

  const key = Buffer.alloc(32, 1).toString('base64');
  it.each<[string, RedisSessionModuleOptions]>([
    ['hashIds', { hashIds: true }],
    ['durability', { durability: { replicas: 1 } }],
    ['encryption', { encryption: { keys: [key] } }],
    ['cookie.secrets', { cookie: SECRETS }],
    ['cookie.encoding', { cookie: { encoding: 'plain' } }],
    ['absoluteTimeoutSeconds', { absoluteTimeoutSeconds: 3600 }],
    ['maxInactiveIntervalSeconds', { maxInactiveIntervalSeconds: -1 }],
    ['maxInactiveIntervalSeconds', { maxInactiveIntervalSeconds: 2 ** 31 }],
    [
      'security.credentialStamp',
      { security: { loadPrincipal: () => ({}), credentialStamp: () => 'x' } },
    ],
    ['security.requestCache', { security: { loginPage: '/login', requestCache: 'none' } }],
    ['security.requestCache', { security: { requestCache: new CookieRequestCache(SECRETS) } }],
    ['codec', { codec: { encode: String, decode: String } }],
    ['sessionIdGenerator', { sessionIdGenerator: () => 'x'.repeat(32) }],
    ['sessionIdPattern', { sessionIdPattern: /x/ }],
    ['saveMode', { saveMode: 'always' }],
    ['saveMode', { saveMode: 'on-get-attribute' }],
    ['store', { redis: undefined, store: 'memory' }],
    ['store', { redis: undefined, store: mongoSessions({ db: 'mongodb://127.0.0.1/shop' }) }],
    ['repository must be "indexed"', { redis: undefined, store: postgres }],
    ['Redis Cluster', { redis: { nodes: [{ host: '127.0.0.1', port: 1 }] } }],
    ['keyPrefix', { redis: { host: '127.0.0.1', keyPrefix: 'shop:' } }],
    ['keyPrefix', { redis: new Redis({ ...lazy, keyPrefix: 'shop:' }) }],
    ['nearCache', { features: [springSession(), nearCache({ maxSessions: 10 })] }],
    [
      'migrateFrom',
      {
        features: [
          springSession(),
          migrateFrom({ from: 'express-session', phase: 'share', secrets: ['secret'] }),
        ],
      },
    ],
    ['expirationStore', { repository: 'indexed', indexed: { expirationStore: 'sorted-set' } }],
    ['indexes', { repository: 'indexed', indexed: { indexes: { shop: () => 'x' } } }],
    ['partitions', { repository: 'indexed', indexed: { partitions: 4 } }],
    ['principalName', { repository: 'indexed', indexed: { principalName: () => 'x' } }],
    ['retentionSeconds', { repository: 'indexed', indexed: { retentionSeconds: 60 } }],
  ])('refuses %s at start, with the reason', (name, options) => {
    const start = (): unknown => resolve(options);
    expect(start).toThrow(SessionOptionError);
    expect(start).toThrow(name);
    expect(start).toThrow(/with springSession\(\): .+\.$/);
  });

  it.each<[string, RedisSessionModuleOptions]>([
    ['repository', { repository: 'indexed' }],
    ['hashIds', { hashIds: true }],
    ['security.requestCache', { security: { loginPage: '/login', requestCache: 'session' } }],
    ['security.requestCache', { security: { requestCache: new SessionRequestCache() } }],
  ])('refuses %s with Java serialization, too', (name, options) => {
    const features = [springSession({ serialization: 'jdk' })];
    expect(() => resolve({ ...options, features })).toThrow(SessionOptionError);
    expect(() => resolve({ ...options, features })).toThrow(name);
  });

  it('allows a request cache with Java serialization, where saved pages do not cross over', () => {
    const requestCache = new CookieRequestCache(SECRETS);
    const features = [springSession({ serialization: 'jdk', storesLogins: 'default' })];
    expect(resolve({ features, security: { requestCache } }).security).toMatchObject({
      requestCache,
    });
  });

  it('refuses a factor for Boot 3, which answers 500 to it', () => {
    expect(() => springSession({ boot: 3, factor: 'FACTOR_PASSWORD' })).toThrow(SessionOptionError);
  });

  it('refuses storesLogins with JSON, where everything is stored, and a factor with storesLogins', () => {
    expect(() => springSession({ storesLogins: 'default' })).toThrow('springSession.storesLogins');
    const jdk = { serialization: 'jdk', storesLogins: 'default' } as const;
    expect(() => springSession({ ...jdk, factor: 'FACTOR_PASSWORD' })).toThrow(
      'springSession.factor must be left out with springSession.storesLogins',
    );
    expect(() => springSession(jdk)).not.toThrow();
  });

  it('refuses Java classes with Java serialization, which stores no objects', () => {
    expect(() => springSession({ serialization: 'jdk', classes: ['com.shop.'] })).toThrow(
      'springSession.classes must be left out',
    );
  });

  it.each(['', 'Cart', 'com..Cart', 'com.shop.*', 'com.shop .Cart'])(
    'refuses %p as the name of a Java class or a package',
    (name) => {
      expect(() => springSession({ classes: [name] })).toThrow(
        'springSession.classes must be a list of Java classes',
      );
    },
  );

  it('refuses an unknown option', () => {
    const options = { boot: 5 } as unknown as Parameters<typeof springSession>[0];
    expect(() => springSession(options)).toThrow('springSession.boot must be 3 or 4, got 5.');
  });
});
