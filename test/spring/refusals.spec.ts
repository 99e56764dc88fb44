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
  const uuids = 'ids are UUIDs, as those of Spring';
  const interval = 'maxInactiveIntervalSeconds must be from 1 to 2147483647';
  const never = 'Spring deletes sessions that never end, and cannot read a greater number';
  const saveModes = 'saveMode must be "on-change" or "on-set-attribute"';
  const unchanged = 'an attribute of Spring would be written although nobody has changed it';
  const places = 'Spring keeps its sessions in Redis or in PostgreSQL';
  const prefix = 'Spring has no such prefix. Set namespace to that of Spring';
  const pages = 'both sides must find the page that the other one has saved';

  /** The rule, the reason, what breaks the rule, and what keeps it: where nothing is said, leaving the option out. */
  it.each<[string, string, RedisSessionModuleOptions, ...RedisSessionModuleOptions[]]>([
    [
      'hashIds must be false',
      'Spring makes keys of ids as they are',
      { hashIds: true },
      { hashIds: false },
    ],
    [
      'durability must be left out',
      'Spring does not wait for replicas, and a login must not depend on the side that made it',
      { durability: { replicas: 1 } },
    ],
    [
      'encryption must be left out',
      'Spring cannot read encrypted attributes',
      { encryption: { keys: [key] } },
    ],
    [
      'cookie.secrets must be left out',
      'Spring neither signs its cookie nor checks a signature',
      { cookie: SECRETS },
      { cookie: { name: 'SHOP' } },
    ],
    [
      'cookie.encoding must be "base64"',
      'Spring encodes the id in its cookie',
      { cookie: { encoding: 'plain' } },
      { cookie: { encoding: 'base64' } },
    ],
    [
      'absoluteTimeoutSeconds must be left out',
      'Spring has no absolute lifetime, and would keep such a session alive',
      { absoluteTimeoutSeconds: 3600 },
    ],
    [
      interval,
      never,
      { maxInactiveIntervalSeconds: -1 },
      { maxInactiveIntervalSeconds: 1 },
      { maxInactiveIntervalSeconds: 2 ** 31 - 1 },
    ],
    [interval, never, { maxInactiveIntervalSeconds: 2 ** 31 }],
    [
      'security.credentialStamp must be left out',
      'Spring has no place for the stamp, and Nest would write the logins of Spring again to add it',
      { security: { loadPrincipal: () => ({}), credentialStamp: () => 'x' } },
      { security: { loadPrincipal: () => ({}) } },
    ],
    [
      'security.requestCache must be left out',
      pages,
      { security: { loginPage: '/login', requestCache: 'none' } },
      { security: { loginPage: '/login' } },
    ],
    [
      'security.requestCache must be left out',
      pages,
      { security: { requestCache: new CookieRequestCache(SECRETS) } },
    ],
    [
      'codec must be left out',
      'Spring decodes every attribute and answers 500 to one that it cannot decode',
      { codec: { encode: String, decode: String } },
    ],
    ['sessionIdGenerator must be left out', uuids, { sessionIdGenerator: () => 'x'.repeat(32) }],
    ['sessionIdPattern must be left out', uuids, { sessionIdPattern: /x/ }],
    [saveModes, unchanged, { saveMode: 'always' }, { saveMode: 'on-set-attribute' }],
    [saveModes, unchanged, { saveMode: 'on-get-attribute' }, { saveMode: 'on-change' }],
    [
      'store must be left out, or be postgresSessions()',
      places,
      { redis: undefined, store: 'memory' },
      { redis: undefined, store: postgres, repository: 'indexed' },
    ],
    [
      'store must be left out, or be postgresSessions()',
      places,
      { redis: undefined, store: mongoSessions({ db: 'mongodb://127.0.0.1/shop' }) },
    ],
    [
      'repository must be "indexed"',
      'Spring Session JDBC keeps an index of the users',
      { redis: undefined, store: postgres },
      { redis: undefined, store: postgres, repository: 'indexed' },
    ],
    [
      'redis must not be a Redis Cluster',
      'keys of Spring lie in different slots, and one step must change several of them',
      { redis: { nodes: [{ host: '127.0.0.1', port: 1 }] } },
      { redis: { host: '127.0.0.1', port: 1 } },
    ],
    [
      'keyPrefix of redis must be left out',
      prefix,
      { redis: { host: '127.0.0.1', keyPrefix: 'shop:' } },
      { redis: { host: '127.0.0.1' }, namespace: 'shop:spring:session' },
    ],
    [
      'keyPrefix of redis must be left out',
      prefix,
      { redis: new Redis({ ...lazy, keyPrefix: 'shop:' }) },
      { redis: new Redis(lazy), namespace: 'shop:spring:session' },
    ],
    [
      'features must hold no other feature that keeps sessions',
      'Spring changes sessions without telling it. Leave out nearCache()',
      { features: [springSession(), nearCache({ maxSessions: 10 })] },
    ],
    [
      'features must not hold migrateFrom()',
      'moved sessions keep ids that Spring does not know. Migrate first',
      {
        features: [
          springSession(),
          migrateFrom({ from: 'express-session', phase: 'share', secrets: ['secret'] }),
        ],
      },
    ],
    [
      'indexed.expirationStore must be left out',
      'sessions expire by the buckets of Spring',
      { repository: 'indexed', indexed: { expirationStore: 'sorted-set' } },
      { repository: 'indexed' },
    ],
    [
      'indexed.indexes must be left out',
      'Spring keeps no other index than that of the user',
      { repository: 'indexed', indexed: { indexes: { shop: () => 'x' } } },
    ],
    [
      'indexed.partitions must be left out',
      'the keys of Spring have no partitions',
      { repository: 'indexed', indexed: { partitions: 4 } },
    ],
    [
      'indexed.principalName must be left out',
      'both sides must find a session under the same name',
      { repository: 'indexed', indexed: { principalName: () => 'x' } },
    ],
    [
      'indexed.retentionSeconds must be left out',
      'Spring keeps an expired session for five minutes',
      { repository: 'indexed', indexed: { retentionSeconds: 60 } },
      { repository: 'indexed', indexed: {} },
    ],
  ])('%s, since %s', (rule, reason, wrong, ...right) => {
    expect(() => resolve(wrong)).toThrow(
      new SessionOptionError(`${rule} with springSession(): ${reason}.`),
    );
    for (const options of [{}, ...right]) expect(() => resolve(options)).not.toThrow();
  });

  const lists =
    'with serialization "jdk" springSession.storesLogins names the repository of Spring, and lists of sessions are not kept';
  const noPage =
    'serialization "jdk" stores no saved page. Give a CookieRequestCache, or leave it out';
  it.each<[string, string, RedisSessionModuleOptions, ...RedisSessionModuleOptions[]]>([
    ['repository and indexed must be left out', lists, { repository: 'indexed' }],
    [
      'hashIds must be false',
      'Spring makes keys of ids as they are',
      { hashIds: true },
      { hashIds: false },
    ],
    [
      'store must be left out',
      'serialization "jdk" is only for Redis. Give Spring the bean springSessionConversionService of docs/stores.md',
      { redis: undefined, store: postgres },
      { redis: undefined, store: postgres, repository: 'indexed', features: [springSession()] },
    ],
    [
      'security.requestCache must not keep pages in the session',
      noPage,
      { security: { loginPage: '/login', requestCache: 'session' } },
      { security: { loginPage: '/login', requestCache: new CookieRequestCache(SECRETS) } },
      { security: { loginPage: '/login' } },
    ],
    [
      'security.requestCache must not keep pages in the session',
      noPage,
      { security: { requestCache: new SessionRequestCache() } },
    ],
  ])('%s with Java serialization, since %s', (rule, reason, wrong, ...right) => {
    const features = [springSession({ serialization: 'jdk' })];
    expect(() => resolve({ ...wrong, features })).toThrow(
      new SessionOptionError(`${rule} with springSession(): ${reason}.`),
    );
    for (const options of [{}, ...right])
      expect(() => resolve({ features, ...options })).not.toThrow();
  });

  it('allows a request cache with Java serialization, where saved pages do not cross over', () => {
    const requestCache = new CookieRequestCache(SECRETS);
    const features = [springSession({ serialization: 'jdk', storesLogins: 'default' })];
    expect(resolve({ features, security: { requestCache } }).security).toMatchObject({
      requestCache,
    });
  });

  type Own = Parameters<typeof springSession>[0];
  const jdk = { serialization: 'jdk' } as const;
  const factor = 'FACTOR_PASSWORD';
  const classes = { 'com.shop.Cart': { owner: 'String' } } as const;
  it.each<[string, Own, ...Own[]]>([
    [
      'springSession.factor must be left out when springSession.boot is 3: Spring Security 6 answers 500 to a login with a factor.',
      { boot: 3, factor },
      { boot: 3 },
      { boot: 4, factor },
    ],
    [
      'springSession.storesLogins must be left out unless springSession.serialization is "jdk": with JSON everything is stored.',
      { storesLogins: 'default' },
      {},
      { ...jdk, storesLogins: 'default' },
    ],
    [
      'springSession.factor must be left out with springSession.storesLogins: Java serialization stores no factor.',
      { ...jdk, storesLogins: 'default', factor },
      { ...jdk, storesLogins: 'default' },
    ],
    [
      'springSession.classes must be left out when springSession.serialization is "jdk": Java serialization stores no objects.',
      { ...jdk, classes },
      jdk,
      { classes },
    ],
  ])('says: %s', (sentence, wrong, ...right) => {
    expect(() => springSession(wrong)).toThrow(new SessionOptionError(sentence));
    for (const options of right) expect(() => springSession(options)).not.toThrow();
  });

  it.each([
    [
      'a list',
      ['com.shop.'],
      'springSession.classes["0"] must be named by the full name of a class',
    ],
    ...['', 'Cart', 'com..Cart', 'com.shop.*', 'com.shop .Cart', 'com.shop.'].map(
      (name) => [`the name ${JSON.stringify(name)}`, { [name]: {} }, 'got '] as const,
    ),
    ['no type', { 'a.B': { c: 5 } }, 'springSession.classes["a.B"].c must be a Java type'],
    ['an unknown type', { 'a.B': { c: 'Strng' } }, 'got "Strng".'],
    ['a list of what is unknown', { 'a.B': { c: 'List<a.C>' } }, 'got "a.C".'],
    ['a map by numbers', { 'a.B': { c: 'Map<int, String>' } }, 'got "Map<int, String>".'],
    ['a constant that is none', { 'a.B': ['X', ''] }, 'or a list of the constants of an enum'],
    ['nothing', { 'a.B': null }, 'springSession.classes["a.B"] must be an object of fields'],
    ['an unknown text', { 'a.B': 'BigDecimals' }, 'got "BigDecimals".'],
    ...['BigDecimal', 'BigInteger?', 'Date'].map(
      (type) =>
        [
          `a class of one's own as a ${type}`,
          { 'a.B': type },
          'springSession.classes["a.B"] must be an object of fields, because ',
        ] as const,
    ),
    [
      'a decimal as a whole number',
      { 'java.math.BigDecimal': 'BigInteger' },
      'because "BigInteger" describes java.math.BigInteger alone, got "BigInteger".',
    ],
  ])('refuses a description of Java classes with %s', (_what, classes, message) => {
    const options = { classes } as unknown as Parameters<typeof springSession>[0];
    expect(() => springSession(options)).toThrow(message);
    expect(() => springSession(options)).toThrow(SessionOptionError);
  });

  it('refuses an unknown option', () => {
    const options = { boot: 5 } as unknown as Parameters<typeof springSession>[0];
    expect(() => springSession(options)).toThrow('springSession.boot must be 3 or 4, got 5.');
  });
});
