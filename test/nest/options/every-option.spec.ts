import { describe, expect, it } from '@jest/globals';
import { RequestMethod } from '@nestjs/common';
import { RedisSessionModule, SessionOptionError } from 'nestjs-redis-session';
import { expressSession, session } from 'nestjs-redis-session/express-session';
import { migrateFrom } from 'nestjs-redis-session/migration';
import { mongoSessions } from 'nestjs-redis-session/mongo';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { springSession } from 'nestjs-redis-session/spring';
import { connectSessionOptionGroup } from '../../../libs/redis-session/src/express-session/connect/connect-session.options.js';
import { expressSessionOptionGroup } from '../../../libs/redis-session/src/express-session/express-session.feature.js';
import { cookieOptionGroup } from '../../../libs/redis-session/src/http/session-id/cookie-options.js';
import { mustBe } from '../../../libs/redis-session/src/lib/option-group.js';
import { migrationOptionGroup } from '../../../libs/redis-session/src/migration/migrate-from.js';
import { mongoOptionGroup } from '../../../libs/redis-session/src/mongo/mongo-sessions.js';
import {
  nearCache,
  nearCacheOptionGroup,
} from '../../../libs/redis-session/src/nest/options/near-cache.feature.js';
import {
  indexedOptionGroup,
  moduleOptionGroup,
  webSocketOptionGroup,
} from '../../../libs/redis-session/src/nest/options/redis-session.options.js';
import {
  csrfOptionGroup,
  logoutOptionGroup,
  securityOptionGroup,
} from '../../../libs/redis-session/src/nest/options/security.options.js';
import { postgresOptionGroup } from '../../../libs/redis-session/src/postgres/postgres-sessions.js';
import { durabilityOptionGroup } from '../../../libs/redis-session/src/redis/client/durable-writes.js';
import { rememberMeOptionGroup } from '../../../libs/redis-session/src/security/remember-me.js';
import { encryptionOptionGroup } from '../../../libs/redis-session/src/session/repository-options.js';
import { springOptionGroup } from '../../../libs/redis-session/src/spring/spring.options.js';

type Options = Readonly<Record<string, unknown>>;
type Start = (options: Options) => unknown;
type Schema = Parameters<typeof mustBe>[0];
type OptionGroup = { readonly shape: Readonly<Record<string, Schema>> };

const redis = 'redis://localhost:6379';
const key = 'k'.repeat(43);
const pool = 'postgres://localhost/shop';
const db = 'mongodb://localhost/shop';
const logger = { warn: () => undefined, error: () => undefined };
const store = { get: () => undefined };
const anything = (): string => 'x';

/** Starts the module, as an application does that does not listen yet. */
const forRoot: Start = (options) => RedisSessionModule.forRoot({ redis, ...options });
const security: Start = (options) => forRoot({ security: options });
const FROM = { from: 'express-session', phase: 'share', secrets: ['old secret'] };

/** Each group of options: what stands before a name, the schema, and how an application gives the options. */
const GROUPS: readonly [prefix: string, group: OptionGroup, start: Start][] = [
  ['', moduleOptionGroup, forRoot],
  ['cookie.', cookieOptionGroup, (cookie) => forRoot({ cookie })],
  ['security.', securityOptionGroup, security],
  ['security.csrf.', csrfOptionGroup, (csrf) => security({ csrf })],
  [
    'security.logout.',
    logoutOptionGroup,
    (logout) => forRoot({ security: { logout }, repository: 'indexed' }),
  ],
  ['security.rememberMe.', rememberMeOptionGroup, (rememberMe) => security({ rememberMe })],
  ['indexed.', indexedOptionGroup, (indexed) => forRoot({ indexed, repository: 'indexed' })],
  [
    'durability.',
    durabilityOptionGroup,
    (options) => forRoot({ durability: { replicas: 1, ...options } }),
  ],
  [
    'encryption.',
    encryptionOptionGroup,
    (options) => forRoot({ encryption: { keys: [key], ...options } }),
  ],
  [
    'webSockets.',
    webSocketOptionGroup,
    (webSockets) => forRoot({ webSockets, repository: 'indexed' }),
  ],
  ['nearCache.', nearCacheOptionGroup, (options) => nearCache({ maxSessions: 1, ...options })],
  ['expressSession.', expressSessionOptionGroup, (options) => expressSession(options)],
  [
    '',
    connectSessionOptionGroup,
    (options) => session({ logger, secret: 'x', store, ...options } as never),
  ],
  ['springSession.', springOptionGroup, (options) => springSession(options)],
  ['postgresSessions.', postgresOptionGroup, (options) => postgresSessions({ pool, ...options })],
  ['mongoSessions.', mongoOptionGroup, (options) => mongoSessions({ db, ...options })],
  [
    'migrateFrom.',
    migrationOptionGroup,
    (options) => migrateFrom({ ...FROM, ...options } as never),
  ],
];

const OPTIONS = GROUPS.flatMap(([prefix, group, start]) =>
  Object.entries(group.shape).map(([name, schema]) => ({
    option: `${prefix}${name}`,
    name,
    start,
    text: mustBe(schema),
  })),
);

/** What each text allows, if it is no list of values. */
const ALLOWED: Readonly<Record<string, readonly unknown[]>> = {
  '-1 (never) or a positive integer': [-1, 60],
  '-1 (never) or an integer that is not negative': [-1, 0],
  '-1 (unlimited), a positive integer or a function': [-1, 1, () => 1],
  'a SessionIdResolver': [{ resolveSessionIds: () => [] }],
  'a cron expression or false': ['* * * * *', '*/10 * * * * *', false],
  'a factor of Spring Security 7, such as "FACTOR_PASSWORD"': ['FACTOR_PASSWORD'],
  'a function': [anything],
  'a function that returns a string': [() => 'x'.repeat(32)],
  'a function that returns a string or undefined': [anything],
  'a function that returns epoch ms': [() => 0],
  'a host name without a leading dot, such as "example.com"': ['example.com'],
  'a list of LogoutHandlers': [[{ logout: anything }]],
  'a list of features, such as [nearCache({ maxSessions: 10_000 })]': [
    [nearCache({ maxSessions: 10_000 })],
  ],
  'a list of keys of 32 random bytes, as 64 hexadecimal digits or in base64 (openssl rand -base64 32)':
    [['0'.repeat(64)], [`${key}=`]],
  'a key of 32 random bytes, as 64 hexadecimal digits or in base64 (openssl rand -base64 32)': [
    '0'.repeat(64),
    `${key}=`,
  ],
  'a list of paths, or of { path, method } with a RequestMethod': [
    ['/healthz'],
    [{ path: 'hooks', method: RequestMethod.POST }],
  ],
  'a list of secrets': [['old secret']],
  'a list of strings of at least 32 characters each': [['x'.repeat(32)]],
  'a name of letters, digits, "_", "-" and "."': ['shop_1-a.sessions'],
  'a path of this site that starts with one "/"': ['/welcome'],
  'a path of this site, or an http(s) URL': ['/login', 'https://login.example.com/'],
  'a positive integer': [1, 60],
  'a regular expression': [/x/],
  'a store for express-session': [store],
  'a string': ['sessions'],
  'a string or a key, or a list of them (an empty secret option array could sign nothing)': [
    'x',
    ['x', Buffer.from('y')],
  ],
  'a string that is not empty': ['pod-a'],
  'a string without spaces and braces': ['shop:sessions'],
  'a token of RFC 6265, such as "SESSION"': ['SESSION'],
  'a url such as "mongodb://localhost/shop", or a Db': [db, { collection: anything }],
  'a url such as "postgres://localhost/shop", options of pg.Pool or a Pool': [
    pool,
    { host: 'localhost' },
  ],
  'a url such as "redis://localhost:6379", ioredis options, cluster nodes or a client': [
    redis,
    { host: 'localhost' },
    { nodes: [redis] },
  ],
  'an AccessDeniedHandler': [{ handle: anything }],
  'an AuthenticationEntryPoint': [{ commence: anything }],
  'an AuthenticationFailureHandler': [{ onAuthenticationFailure: anything }],
  'an AuthenticationSuccessHandler': [{ onAuthenticationSuccess: anything }],
  'an integer that is not negative': [0, 1],
  'an object of CSRF options, true or false': [{}, true, false],
  'an object of WebSocket options': [{}],
  'an object of cookie options': [{}],
  'an object of cookie options, with maxAge in milliseconds, or a function of the request': [
    { maxAge: 60_000 },
    () => ({ maxAge: 60_000 }),
  ],
  'an object of functions, with names of letters, digits, "-" and "_" other than "principal"': [
    { 'shop_1-a': anything },
  ],
  'an object of logout options': [{}],
  'an object of options of the indexed repository': [{}],
  'an object of remember-me options or false': [{}, false],
  'an object of security options or false': [{}, false],
  'an object such as { ADMIN: ["USER"] }': [{ ADMIN: ['USER'] }],
  'an object such as { keys: [key] }': [{ keys: [key] }],
  'an object such as { replicas: 1 }': [{ replicas: 1 }],
  'an object that describes Java classes, such as { "com.shop.Cart": { owner: "String" } }': [
    { 'com.shop.Cart': { owner: 'String' } },
  ],
  'an object with encode and decode': [{ encode: anything, decode: anything }],
  'an object with fromSpring and toSpring': [{ fromSpring: anything, toSpring: anything }],
  'an object with warn and error': [logger],
  'made of letters, digits, "_" and "-"': ['node_1-a'],
  'null or an integer from 0 to 2147483647': [null, 0, 2_147_483_647],
  'printable ASCII that starts with "/" and has no ";" and no "<"': ['/app'],
  'the name of a cookie': ['connect.sid'],
  'the name of a field': ['_csrf'],
  'the name of a header': ['X-CSRF-TOKEN'],
  'the value of the header or false': ['no-cache', false],
  '"all" or a list of names': ['all', ['cart']],
  '"redis", "memory" or a SessionStore': [
    'redis',
    'memory',
    { name: 'own', createRepository: anything },
  ],
  '"session", "none" or a RequestCache': [
    'session',
    'none',
    { saveRequest: anything, matchingRequest: anything },
  ],
  'true, false, "auto" or a function of the request': [true, false, 'auto', () => true],
};

/** Options that need another one. */
const BESIDE: Readonly<Record<string, Options>> = {
  'store "memory"': { redis: undefined },
  'store an object': { redis: undefined },
  indexed: { repository: 'indexed' },
  'security.credentialStamp': { loadPrincipal: anything },
  'springSession.storesLogins': { serialization: 'jdk' },
};

/** What is not shown. */
const SECRET = [
  'redis',
  'cookie.secrets',
  'encryption.keys',
  'encryption.indexKey',
  'secret',
  'postgresSessions.pool',
  'mongoSessions.db',
  'migrateFrom.secrets',
];

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** The values that a text lists, such as `"lax", "strict" or null`. */
function listed(text: string): unknown[] | undefined {
  const parts = text.split(/, | or /);
  const isList = parts.every((part) => /^(?:"[^"]*"|true|false|null|\d+)$/.test(part));
  return isList ? parts.map((part): unknown => JSON.parse(part)) : undefined;
}

describe.each(OPTIONS)('the option $option', ({ option, name, start, text }) => {
  it(`says that it must be ${text}`, () => {
    const wrong = Symbol('wrong');
    const got = SECRET.includes(option) ? '' : ', got Symbol(wrong)';
    const refusal = `${option} must be ${text}${got}.`;
    expect(() => start({ [name]: wrong })).toThrow(new SessionOptionError(refusal));
  });

  it('takes what it says', () => {
    const values = listed(text) ?? ALLOWED[text] ?? [];
    expect(values.length).toBeGreaterThan(0);
    for (const value of values) {
      const beside = BESIDE[`${option} ${shown(value)}`] ?? BESIDE[option];
      expect(() => start({ [name]: value, ...beside })).not.toThrow();
    }
  });
});

describe('wrong parts of an option, and features without options', () => {
  it.each([
    ['USER', '"USER" as security.roleHierarchy.ADMIN'],
    [['USER', 1], '1 as security.roleHierarchy.ADMIN[1]'],
    [null, 'null as security.roleHierarchy.ADMIN'],
  ])('refuses security.roleHierarchy with %j for an authority', (ADMIN, wrong) => {
    expect(() => security({ roleHierarchy: { EDITOR: ['USER'], ADMIN } })).toThrow(
      new SessionOptionError(
        `security.roleHierarchy must be an object such as { ADMIN: ["USER"] }, got ${wrong}.`,
      ),
    );
  });

  it('refuses redis with the url as an option, as node-redis takes it', () => {
    const refusal =
      'redis must be a url such as "redis://localhost:6379", ioredis options, cluster nodes or a client.';
    expect(() => forRoot({ redis: { url: redis } })).toThrow(new SessionOptionError(refusal));
  });

  it.each([
    [/healthz/, 'an object'],
    [3, '3'],
    [{}, 'an object'],
    [{ path: '/healthz', method: 'GET' }, 'an object'],
    [{ path: '/healthz', methods: RequestMethod.GET }, 'an object'],
  ])('refuses exclude with %j', (route, wrong) => {
    expect(() => forRoot({ exclude: ['/livez', route] })).toThrow(
      new SessionOptionError(
        `exclude must be a list of paths, or of { path, method } with a RequestMethod, got ${wrong} as exclude[1].`,
      ),
    );
  });

  it.each<[string, (options: never) => unknown, string]>([
    ['nearCache()', nearCache, 'nearCache.maxSessions'],
    ['postgresSessions()', postgresSessions, 'postgresSessions.pool'],
    ['mongoSessions()', mongoSessions, 'mongoSessions.db'],
    ['migrateFrom()', migrateFrom, 'migrateFrom.from'],
    ['session()', session, 'store'],
  ])('names the option that %s lacks', (_call, feature, option) => {
    const start = feature as (options?: never) => unknown;
    expect(() => start()).toThrow(SessionOptionError);
    expect(() => start()).toThrow(`${option} must be `);
  });
});
