import { describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { type MongoSessionsOptions, mongoSessions } from 'nestjs-redis-session/mongo';
import { type SessionDocument } from '../../libs/redis-session/src/mongo/sessions/session-document.js';
import { PLATFORMS, startApp } from '../support/apps/start-app.js';
import { useStartingApp } from '../support/apps/starting-app.js';
import { OutageController } from '../support/faults/outage-controller.js';
import { send } from '../support/http/http-client.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';
import { Barrier } from '../support/waiting/barrier.js';

const mongo = useTestMongo();
const app = useStartingApp();

describe('at start', () => {
  it('asks for a unique index when it may not create one', async () => {
    const store = mongoSessions({ db: mongo.url, collection: 'absent', createIndexes: false });
    expect(await app.outcomeOf({ store })).toBe(
      'SessionOptionError: mongoSessions.collection must name a collection with a unique index on sessionId, and absent has none. Create it in a migration, or set createIndexes to true.',
    );
  });

  it('takes a collection whose unique index a migration has created', async () => {
    await mongo.db.collection('migrated').createIndex({ sessionId: 1 }, { unique: true }, {});
    const store = mongoSessions({ db: mongo.url, collection: 'migrated', createIndexes: false });
    expect(await app.outcomeOf({ store })).toBe('started');
  });

  it('refuses a collection with other indexes, and takes another one', async () => {
    await mongo.db.collection('orders').createIndex({ order: 1 }, { name: 'sessionId_1' }, {});
    const store = mongoSessions({ db: mongo.url, collection: 'orders' });
    expect(await app.outcomeOf({ store })).toBe(
      'SessionOptionError: mongoSessions.collection must name a collection of sessions, and orders holds other documents or has other indexes. Name another one.',
    );
    const other = mongoSessions({ db: mongo.url, collection: 'orders_sessions' });
    expect(await app.outcomeOf({ store: other })).toBe('started');
  });

  it('creates the indexes by which requests, workers and the application find sessions', async () => {
    const store = mongoSessions({ db: mongo.url, collection: 'created' });
    const indexes = { tenant: () => 'x' };
    expect(await app.outcomeOf({ store, repository: 'indexed', indexed: { indexes } })).toBe(
      'started',
    );
    const created = await mongo.db.collection('created').indexes();
    const keys = created.map(({ key, unique = false }) => ({ key: key, unique }));
    expect(keys).toContainEqual({ key: { sessionId: 1 }, unique: true });
    for (const name of ['expireAt', 'indexes.principal', 'indexes.tenant', 'untold.id'])
      expect(keys).toContainEqual({ key: { [name]: 1 }, unique: false });
  });

  it('fails when MongoDB cannot be reached, and does not show the password', async () => {
    const store = mongoSessions({ db: 'mongodb://kim:hunter2@127.0.0.1:1/shop' });
    const failure = await app.outcomeOf({ store, commandTimeoutMs: 300 });
    expect(failure).toContain('SessionStoreError: Cannot reach MongoDB');
    expect(failure + app.log.text).not.toContain('hunter2');
  });

  it.each<[string, RedisSessionModuleOptions]>([
    ['redis', { redis: 'redis://localhost' }],
    ['namespace', { namespace: 'shop' }],
    ['sharedCommands', { sharedCommands: false }],
    ['indexed.partitions', { repository: 'indexed', indexed: { partitions: 4 } }],
  ])('refuses %s, which is of Redis', async (name, options) => {
    const store = mongoSessions({ db: mongo.url });
    expect(await app.outcomeOf({ store, ...options })).toContain(
      `${name} must be left out when store is MongoDB`,
    );
  });

  it.each<[object, string]>([
    [{ db: 'redis://localhost' }, 'mongoSessions.db must be a url such as'],
    [{ db: 'mongodb://localhost' }, 'mongoSessions.db must be a url such as'],
    [{ db: 'mongodb://localhost/shop', collection: 'a$b' }, 'mongoSessions.collection must be'],
    [{ db: 'mongodb://localhost/shop', createIndexes: 'no' }, 'mongoSessions.createIndexes must'],
    [{ db: 'mongodb://localhost/shop', colection: 'x' }, 'Did you mean mongoSessions.collection?'],
  ])('refuses %j', (options, message) => {
    expect(() => mongoSessions(options as MongoSessionsOptions)).toThrow(message);
  });

  it('does not show a url that the driver cannot read', () => {
    const store = mongoSessions({ db: 'mongodb://kim:hunter2@localhost/shop?w=x&tls=maybe' });
    expect(() => store.createRepository({ commandTimeoutMs: 300 } as never)).toThrow(
      'mongoSessions.db must be a url such as "mongodb://localhost/shop", and the driver cannot read this one. Check its options and the encoding of its password.',
    );
    const right = mongoSessions({ db: 'mongodb://kim:hunter%402@localhost/shop?w=1&tls=true' });
    expect(() => right.createRepository({ commandTimeoutMs: 300 } as never)).not.toThrow();
  });
});

describe.each(PLATFORMS)('at shutdown on %s', (platform) => {
  it.each(['default', 'indexed'] as const)(
    'saves the sessions of the requests that are under way (repository %s)',
    async (repository) => {
      const barrier = (OutageController.barrier = new Barrier());
      const collection = `closing_${platform}_${repository}`;
      const replica = await startApp(platform, {
        closesGently: true,
        controllers: [OutageController],
        options: { repository, store: mongoSessions({ db: mongo.url, collection }) },
      });
      const requests = Array.from({ length: 20 }, () => send(replica.port, 'POST /held-json'));
      await barrier.reachedBy(requests.length);
      const closed = replica.close();
      barrier.open();
      const answers = await Promise.all(requests);
      await closed;
      expect(answers.map(({ status }) => status)).toEqual(requests.map(() => 201));
      const ids = answers.map(({ cookie = '' }) => cookie.slice('SESSION='.length));
      const stored = await mongo.db
        .collection<SessionDocument>(collection)
        .find({ sessionId: { $in: ids }, 'attributes.theme': '"dark"' })
        .toArray();
      expect(stored.length).toBe(requests.length);
    },
  );
});

describe('at shutdown', () => {
  it('leaves the client of the application open', async () => {
    const client = await MongoClient.connect(mongo.url);
    await app.start({ store: mongoSessions({ db: client.db() }) });
    await app.close();
    expect(await client.db().command({ ping: 1 })).toMatchObject({ ok: 1 });
    await client.close();
  });
});
