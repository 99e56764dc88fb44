import { describe, expect, it } from '@jest/globals';
import {
  nearCache,
  RedisSessionModule,
  type RedisSessionModuleOptions,
  SessionOptionError,
} from 'nestjs-redis-session';
import { expressSession } from 'nestjs-redis-session/express-session';
import { migrateFrom } from 'nestjs-redis-session/migration';
import { mongoSessions } from 'nestjs-redis-session/mongo';

type Options = RedisSessionModuleOptions;

const redis = 'redis://localhost:6379';
const cluster = { nodes: [redis] };
const mongo = mongoSessions({ db: 'mongodb://localhost/shop' });
const cached = { features: [nearCache({ maxSessions: 10 })] };
const migrated = {
  features: [migrateFrom({ from: 'express-session', phase: 'share', secrets: ['old secret'] })],
};
const sessionIdResolver = {
  resolveSessionIds: () => [],
  setSessionId: () => undefined,
  expireSession: () => undefined,
};
const credentialStamp = (): string => 'x';
const loadPrincipal = (): object => ({});
const CLUSTER =
  'nearCache() must be left out on a Redis Cluster, whose nodes report changes of their own keys only. Leave it out, or use one server or Sentinel.';
const WEAK =
  'sessionIdGenerator must make ids with at least 128 random bits after the first 8 characters when hashIds is on, got';
const BY_FORM =
  'sessionIdGenerator and sessionIdPattern must be left out as long as there is migrateFrom(): it tells the ids of both libraries apart by their form.';
const NO_OPTION = 'must be left out: there is no such option.';

/** What is refused, the sentence that says so, and options that do what the sentence says. */
const CASES: readonly [wrong: object, sentence: string, ...right: Options[]][] = [
  [
    {},
    'redis must be given: a url such as "redis://localhost:6379", ioredis options, cluster nodes or a client. Or set store to "memory".',
    { redis },
    { redis: { host: 'localhost' } },
    { redis: cluster },
    { store: 'memory' },
  ],
  [
    { redis, store: 'memory' },
    'redis must be left out when store is "memory", got both. Leave one out.',
    { redis },
    { store: 'memory' },
  ],
  [
    { store: mongo, namespace: 'shop' },
    'namespace must be left out when store is MongoDB, got both. Leave one out.',
    { redis, namespace: 'shop' },
    { store: mongo },
  ],
  [
    { store: 'memory', repository: 'indexed', indexed: { partitions: 4 } },
    'indexed.partitions must be left out when store is "memory": it describes how Redis keeps the index.',
    { store: 'memory', repository: 'indexed', indexed: {} },
  ],
  [
    { redis, indexed: { maximumSessions: 1 } },
    'indexed must be left out unless repository is "indexed". Set that, or leave indexed out.',
    { redis, indexed: { maximumSessions: 1 }, repository: 'indexed' },
    { redis },
  ],
  [
    { redis, security: { logout: { endsEverySession: true } } },
    'security.logout.endsEverySession must be false unless repository is "indexed", got true.',
    { redis, security: { logout: { endsEverySession: false } } },
    { redis, security: { logout: { endsEverySession: true } }, repository: 'indexed' },
  ],
  [
    { redis, webSockets: { closeWithSession: true } },
    'webSockets.closeWithSession must be false unless repository is "indexed", got true.',
    { redis, webSockets: { closeWithSession: false } },
    { redis, webSockets: { closeWithSession: true }, repository: 'indexed' },
  ],
  [
    { redis, cookie: {}, sessionIdResolver },
    'cookie must be left out when sessionIdResolver is given, got both. Leave one out.',
    { redis, cookie: {} },
    { redis, sessionIdResolver },
  ],
  [
    { redis, touchIntervalSeconds: 1800 },
    'touchIntervalSeconds must be below maxInactiveIntervalSeconds (1800), got 1800.',
    { redis, touchIntervalSeconds: 1799 },
    { redis, touchIntervalSeconds: 1800, maxInactiveIntervalSeconds: 1801 },
  ],
  [
    { redis, durability: { replicas: 1, timeoutMs: 2000 }, commandTimeoutMs: 2000 },
    'durability.timeoutMs must be below commandTimeoutMs (2000), got 2000.',
    { redis, durability: { replicas: 1, timeoutMs: 1999 }, commandTimeoutMs: 2000 },
  ],
  [
    { redis, security: { credentialStamp } },
    'security.credentialStamp needs security.loadPrincipal, which looks up the user at each request. Add it.',
    { redis, security: { credentialStamp, loadPrincipal } },
  ],
  [
    { redis, security: { roleHierarchy: { ADMIN: ['USER'], USER: ['ADMIN'] } } },
    'roleHierarchy must not have an authority include itself, got ADMIN > USER > ADMIN.',
    { redis, security: { roleHierarchy: { ADMIN: ['USER'] } } },
  ],
  [
    { redis, security: { loginPage: 'login' } },
    'loginPage must be a path that starts with one "/", or an http(s) URL, got "login".',
    { redis, security: { loginPage: '/login' } },
    { redis, security: { loginPage: 'https://login.example.com/' } },
  ],
  [
    { redis, hashIds: true, sessionIdGenerator: () => 'x'.repeat(32) },
    `${WEAK} 0. Leave it out, or make the ids longer.`,
    { redis, hashIds: true },
    {
      redis,
      hashIds: true,
      sessionIdGenerator: () => crypto.randomUUID() + crypto.randomUUID(),
    },
  ],
  [
    { store: 'memory', ...cached },
    'nearCache() must be left out when store is "memory", which reports no changes, got both. Leave one out.',
    { store: 'memory' },
    { redis, ...cached },
  ],
  [
    { redis, repository: 'indexed', ...cached },
    'nearCache() must be left out when repository is "indexed", got both. Leave one out.',
    { redis, repository: 'indexed' },
    { redis, ...cached },
  ],
  [{ redis: cluster, ...cached }, CLUSTER, { redis: cluster }, { redis, ...cached }],
  [
    { redis, features: [nearCache({ maxSessions: 1, flushIntervalMs: 450_001 })] },
    'nearCache.flushIntervalMs must be at most a quarter of maxInactiveIntervalSeconds (450000 ms), got 450001.',
    { redis, features: [nearCache({ maxSessions: 1, flushIntervalMs: 450_000 })] },
  ],
  [
    { redis, load: 'lazy', features: [expressSession()] },
    'load must be "eager" with expressSession(), got "lazy".',
    { redis, load: 'eager', features: [expressSession()] },
  ],
  [
    { redis, saveMode: 'on-set-attribute', features: [expressSession()] },
    'saveMode must be "on-change" with expressSession(), got "on-set-attribute": req.session.cart.push(item) would not be saved.',
    { redis, saveMode: 'on-change', features: [expressSession()] },
  ],
  [
    { redis, hashIds: true, ...migrated },
    'hashIds must be left out as long as there is migrateFrom(), which keeps the ids of moved sessions in Redis. Turn it on after the migration.',
    { redis, ...migrated },
    { redis, hashIds: true },
  ],
  [
    { store: 'memory', ...migrated },
    'migrateFrom() must be left out when store is "memory": it moves sessions inside Redis. Leave one out.',
    { store: 'memory' },
    { redis, ...migrated },
  ],
  [{ redis, sessionIdPattern: /x/, ...migrated }, BY_FORM, { redis, ...migrated }],
  [{ redis, sessionIdGenerator: () => 'x', ...migrated }, BY_FORM, { redis, ...migrated }],
  [
    { redis, cookie: { domain: 'example.com', domainPattern: /(.*)/ } },
    'cookie.domain and cookie.domainPattern exclude each other, got both. Leave one out.',
    { redis, cookie: { domain: 'example.com' } },
    { redis, cookie: { domainPattern: /(.*)/ } },
  ],
  [
    { redis, cookie: { sameSite: 'none', secure: false } },
    'cookie.secure must be true or "auto" when cookie.sameSite is "none", got false.',
    { redis, cookie: { sameSite: 'none', secure: true } },
    { redis, cookie: { sameSite: 'none', secure: 'auto' } },
  ],
  [
    { redis, cookie: { partitioned: true, secure: false } },
    'cookie.secure must be true or "auto" when cookie.partitioned is true, got false.',
    { redis, cookie: { partitioned: true, secure: true } },
    { redis, cookie: { partitioned: true, secure: 'auto' } },
  ],
  [
    { redis, cookie: { name: '__Secure-id' } },
    'cookie.secure must be true when cookie.name starts with "__Host-" or "__Secure-".',
    { redis, cookie: { name: '__Secure-id', secure: true } },
  ],
  [
    { redis, cookie: { name: '__Host-id', secure: true, path: '/app' } },
    'cookie.path must be "/" when cookie.name starts with "__Host-".',
    { redis, cookie: { name: '__Host-id', secure: true, path: '/' } },
  ],
  [
    { redis, cookie: { name: '__Host-id', secure: true, domain: 'example.com' } },
    'cookie.domain and cookie.domainPattern must be left out when cookie.name starts with "__Host-".',
    { redis, cookie: { name: '__Host-id', secure: true } },
  ],
  // Names of other libraries, and former ones of this library.
  [
    { redis, secret: 's'.repeat(32) },
    `secret ${NO_OPTION} Use cookie.secrets.`,
    { redis, cookie: { secrets: ['s'.repeat(32)] } },
  ],
  [
    { redis, ttl: 60 },
    `ttl ${NO_OPTION} Use maxInactiveIntervalSeconds.`,
    { redis, maxInactiveIntervalSeconds: 60 },
  ],
  [{ redis, prefix: 'shop' }, `prefix ${NO_OPTION} Use namespace.`, { redis, namespace: 'shop' }],
  [
    { redis, resave: false },
    `resave ${NO_OPTION} Leave it out: only changed sessions are saved.`,
    { redis },
  ],
  [
    { redis, saveUninitialized: false },
    `saveUninitialized ${NO_OPTION} Leave it out: only changed sessions are saved.`,
    { redis },
  ],
  [
    { redis, nearCache: {} },
    `nearCache ${NO_OPTION} Use features: [nearCache({ maxSessions: 10_000 })].`,
    { redis, features: [nearCache({ maxSessions: 10_000 })] },
  ],
  [
    { redis, migration: {} },
    `migration ${NO_OPTION} Use features: [migrateFrom({ … })] of "nestjs-redis-session/migration".`,
    { redis, ...migrated },
  ],
  [
    { redis, passportSession: true },
    `passportSession ${NO_OPTION} Use features: [expressSession({ passport: true })] of "nestjs-redis-session/express-session".`,
    { redis, features: [expressSession({ passport: true })] },
  ],
  [
    { redis, requestSession: true },
    `requestSession ${NO_OPTION} Use features: [expressSession()] of "nestjs-redis-session/express-session".`,
    { redis, features: [expressSession()] },
  ],
  [
    { redis, durability: { replica: 1 } },
    `durability.replica ${NO_OPTION} Did you mean durability.replicas?`,
    { redis, durability: { replicas: 1 } },
  ],
  [
    { redis, webSockets: { heartbeat: 1 } },
    `webSockets.heartbeat ${NO_OPTION} Use closeWithSession, keepAliveSeconds.`,
    { redis, webSockets: { keepAliveSeconds: 1 } },
  ],
];

describe('options that cannot be together', () => {
  it.each(CASES)('refuses %j: %s', (wrong, sentence, ...right) => {
    const start = (): unknown => RedisSessionModule.forRoot(wrong);
    expect(start).toThrow(new SessionOptionError(sentence));
    for (const options of right) expect(() => RedisSessionModule.forRoot(options)).not.toThrow();
  });
});
