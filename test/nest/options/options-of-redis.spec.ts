import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nearCache, RedisSessionModule, SessionOptionError } from 'nestjs-redis-session';
import { migrateFrom } from 'nestjs-redis-session/migration';
import { mongoSessions } from 'nestjs-redis-session/mongo';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { type SessionStore } from 'nestjs-redis-session/store';
import {
  indexedOptionGroup,
  moduleOptionGroup,
} from '../../../libs/redis-session/src/nest/options/redis-session.options.js';
import { MapSessionRepository } from '../../../libs/redis-session/src/session/map-session-repository.js';

const own: SessionStore = {
  name: 'one table',
  createRepository: (options) => new MapSessionRepository(options),
};
const STORES = {
  PostgreSQL: postgresSessions({ pool: 'postgres://localhost/shop' }),
  MongoDB: mongoSessions({ db: 'mongodb://localhost/shop' }),
  'one table': own,
  '"memory"': 'memory',
} as const;

const indexed = (options: object) => ({ repository: 'indexed', indexed: options });
const migration = migrateFrom({ from: 'express-session', phase: 'share', secrets: ['old secret'] });

/** What makes sense in Redis only, and how an application says it. */
const OF_REDIS: Readonly<Record<string, object>> = {
  redis: { redis: 'redis://localhost' },
  namespace: { namespace: 'shop' },
  sharedCommands: { sharedCommands: false },
  durability: { durability: { replicas: 1 } },
  'nearCache()': { features: [nearCache({ maxSessions: 10 })] },
  'migrateFrom()': { features: [migration] },
  'indexed.partitions': indexed({ partitions: 2 }),
  'indexed.expirationStore': indexed({ expirationStore: 'minute-buckets' }),
  'indexed.cleanupCron': indexed({ cleanupCron: false }),
  'indexed.configuresNotifications': indexed({ configuresNotifications: false }),
};

/** What every store understands. */
const OF_ALL_STORES = {
  '': `absoluteTimeoutSeconds clock codec commandTimeoutMs cookie encryption exclude features flushMode hashIds indexed
    interceptor load logger maxInactiveIntervalSeconds onCorrupt onStoreUnavailable repository saveMode security
    sessionIdGenerator sessionIdPattern sessionIdResolver store touchIntervalSeconds webSockets`,
  'indexed.': `eventAttributes eventDelivery indexes maxEvents maximumSessions maximumSessionsPolicy principalName replicaName
    retentionSeconds runsWorker`,
};

/** An application in memory may be given the options of its Redis. */
const HARMLESS_IN_MEMORY = ['namespace', 'sharedCommands'];

const refused = Object.entries(STORES).flatMap(([name, store]) =>
  Object.entries(OF_REDIS)
    .filter(([option]) => store !== 'memory' || !HARMLESS_IN_MEMORY.includes(option))
    .map(([option, options]) => ({ option, name, options: { store, ...options } })),
);

it.each(refused)('$option is refused by its name with the store $name', (each) => {
  const start = () => RedisSessionModule.forRoot(each.options);
  expect(start).toThrow(SessionOptionError);
  expect(start).toThrow(`${each.option} must be left out when store is ${each.name}`);
});

it.each(HARMLESS_IN_MEMORY)('%s is taken with the store "memory"', (option) => {
  const options = { store: STORES['"memory"'], ...OF_REDIS[option] };
  expect(() => RedisSessionModule.forRoot(options)).not.toThrow();
});

describe('an option', () => {
  it.each([
    ['', moduleOptionGroup],
    ['indexed.', indexedOptionGroup],
  ] as const)('is either of Redis or of all stores: %j', (prefix, group) => {
    const inGroup = (name: string) => name.startsWith(prefix) && !name.includes('(');
    const ofRedis = Object.keys(OF_REDIS)
      .filter((name) => inGroup(name) && (prefix !== '' || !name.includes('.')))
      .map((name) => name.slice(prefix.length));
    const ofAll = OF_ALL_STORES[prefix].split(/\s+/);
    expect([...ofRedis, ...ofAll].sort()).toEqual(Object.keys(group.shape).sort());
  });

  it('of Redis stands in the page of the stores', () => {
    const page = readFileSync(new URL('../../../docs/stores.md', import.meta.url), 'utf8');
    const [, list = ''] = /An option that only Redis understands ([^]*?)\n\n/.exec(page) ?? [];
    const names = [...list.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
    expect(names.sort()).toEqual(Object.keys(OF_REDIS).sort());
  });
});
