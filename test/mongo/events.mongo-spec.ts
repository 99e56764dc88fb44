import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { DeadlineRunner } from '../../libs/redis-session/src/mongo/deadline-runner.js';
import {
  BroadcastEventSource,
  OnceEventSource,
} from '../../libs/redis-session/src/mongo/events/event-sources.js';
import { MongoIndexedSessionRepository } from '../../libs/redis-session/src/mongo/indexed/mongo-indexed-session-repository.js';
import {
  type SessionCollections,
  createIndexes,
  sessionCollections,
} from '../../libs/redis-session/src/mongo/session-collections.js';
import { ToldEvents } from '../../libs/redis-session/src/mongo/events/told-events.js';
import { SessionsAtRest } from '../../libs/redis-session/src/session/at-rest/sessions-at-rest.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { type SessionEvent } from '../../libs/redis-session/src/session/session-event.js';
import { contextOf } from '../support/redis/indexed-repository.js';
import { describeOnceDelivery } from '../support/faults/once-delivery.js';
import { startTcpProxy } from '../support/faults/tcp-proxy.js';
import { INDEX_OPTIONS } from '../support/index-options.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 20_000;

const mongo = useTestMongo();
let collections: SessionCollections;
let nowMs: number;
let logged: string[];
let repository: MongoIndexedSessionRepository;

const log = (message: string) => void logged.push(message);
const options = {
  ...DEFAULT_REPOSITORY_OPTIONS,
  clock: () => nowMs,
  commandTimeoutMs: TIMEOUT_MS,
  logger: { warn: log, error: log },
  indexed: { ...INDEX_OPTIONS, maxEvents: 3 },
} as const;

beforeEach(async () => {
  nowMs = Date.now();
  logged = [];
  collections = sessionCollections(mongo.db, `sessions_${randomUUID()}`);
  await createIndexes(collections, ['principal']);
  repository = new MongoIndexedSessionRepository(
    collections,
    new DeadlineRunner(TIMEOUT_MS),
    options,
  );
});

async function open(name: string): Promise<void> {
  const session = repository.createSession();
  session.setAttribute('SECURITY_CONTEXT', contextOf(name));
  await session.save();
}

function inputOf(
  handler: (event: SessionEvent) => void,
  { from = collections, timeoutMs = TIMEOUT_MS } = {},
) {
  return {
    ...options,
    ...options.indexed,
    atRest: new SessionsAtRest(options),
    collections: from,
    handler,
    replicaName: 'a',
    resolvers: {},
    runner: new DeadlineRunner(timeoutMs),
    told: new ToldEvents(from, null),
  };
}

function sourceOf(handler: (event: SessionEvent) => void, takeOverSeconds = 60): OnceEventSource {
  const input = { ...inputOf(handler), delivery: 'once' as const };
  return new OnceEventSource(input, takeOverSeconds);
}

describeOnceDelivery({
  open,
  sourceOf,
  endTakes: async () => {
    await collections.events.updateMany({}, { $set: { takenUntil: new Date() } });
  },
  countUnhandled: () => collections.events.countDocuments({ isHandled: false }),
  logged: () => logged,
});

describe('an event that two replicas have copied', () => {
  it('is handled once', async () => {
    await open('alice');
    const [untold] = await collections.sessions.find().toArray();
    const seen: SessionEvent[] = [];
    await sourceOf((event) => void seen.push(event)).poll();
    await collections.sessions.updateOne(
      { _id: untold!._id },
      { $set: { untold: untold?.untold ?? [] } },
    );
    await sourceOf((event) => void seen.push(event)).poll();
    expect(seen).toMatchObject([{ type: 'created', principalName: 'alice' }]);
  });
});

it("delivery 'broadcast' handles an event whose first reading was answered too late", async () => {
  const proxy = await startTcpProxy({ targetPort: mongo.port });
  const client = await MongoClient.connect(mongo.urlAt(proxy.port), { maxPoolSize: 1 });
  try {
    const from = sessionCollections(client.db(mongo.name), collections.sessions.collectionName);
    const seen: SessionEvent[] = [];
    const input = inputOf((event) => void seen.push(event), { from, timeoutMs: 3000 });
    const source = new BroadcastEventSource({ ...input, delivery: 'broadcast' });
    await source.poll();
    await open('alice');
    proxy.losesReplyTo = (command) => {
      if (command.includes('seenBy') && command.includes('$nin')) proxy.pause();
      return false;
    };
    await expect(source.poll()).rejects.toThrow('no answer within 3000 ms');
    proxy.losesReplyTo = undefined;
    proxy.resume();
    // Over the same connection, so that the late answer has come.
    await from.events.countDocuments();
    await source.poll();
    expect(seen).toMatchObject([{ type: 'created', principalName: 'alice' }]);
  } finally {
    proxy.losesReplyTo = undefined;
    proxy.resume();
    await client.close();
    await proxy.refuse();
  }
});

it("delivery 'broadcast' handles an event that could not be read before", async () => {
  const seen: SessionEvent[] = [];
  const input = inputOf((event) => void seen.push(event));
  const source = new BroadcastEventSource({ ...input, delivery: 'broadcast' });
  await source.poll();
  await open('alice');
  await new DeadlineRunner(TIMEOUT_MS).run('tell', (next) => input.told.tellAll(next));
  await collections.events.updateMany({}, { $rename: { creationTime: 'time' } });
  await expect(source.poll()).rejects.toThrow(TypeError);
  await collections.events.updateMany({}, { $rename: { time: 'creationTime' } });
  await source.poll();
  expect(seen).toMatchObject([{ type: 'created', principalName: 'alice' }]);
});

describe('cleanUp', () => {
  it('keeps so many events as the option says, the newest', async () => {
    for (let i = 0; i < 8; i++) {
      await open(`user-${i}`);
      await collections.sessions.updateMany(
        { 'indexes.principal': `user-${i}` },
        { $set: { 'untold.0.at': new Date(nowMs + i) } },
      );
    }
    const told = new ToldEvents(collections, null);
    await new DeadlineRunner(TIMEOUT_MS).run('tell', (next) => told.tellAll(next));
    await repository.cleanUp();
    const events = await collections.events.find({}, { sort: { at: 1 } }).toArray();
    expect(events.map(({ indexes }) => indexes?.['principal'])).toEqual([
      'user-5',
      'user-6',
      'user-7',
    ]);
  });

  it('deletes sessions that no worker has ended for the retention time', async () => {
    await open('alice');
    nowMs += (1800 + 59) * 1000;
    await repository.cleanUp();
    expect(await collections.sessions.countDocuments()).toBe(1);
    nowMs += 2000;
    await repository.cleanUp();
    expect(await collections.sessions.countDocuments()).toBe(0);
  });

  it('keeps why a session was ended for an hour', async () => {
    await open('bob');
    const [session] = await collections.sessions.find().toArray();
    await repository.endByPrincipalName('bob', 'signed-out');
    nowMs += HOUR_MS - 1000;
    await repository.cleanUp();
    expect(await collections.sessions.countDocuments()).toBe(1);
    expect(await repository.takeEndReason(session!.sessionId)).toBe('signed-out');
    nowMs += 2000;
    await repository.cleanUp();
    expect(await collections.sessions.countDocuments()).toBe(0);
  });

  it('drops what is left of dead replicas: their names and their locks', async () => {
    const at = new Date(Date.now() - 25 * HOUR_MS);
    await collections.replicas.insertMany([
      { _id: 'dead', at },
      { _id: 'alive', at: new Date() },
    ]);
    const later = new Date(Date.now() + HOUR_MS);
    await collections.locks.insertMany([
      { _id: 'left behind', owner: 'a', until: at },
      { _id: 'held', owner: 'b', until: later },
    ]);
    await repository.cleanUp();
    const left = [collections.replicas, collections.locks].map(async (each) =>
      (await each.find().toArray()).map(({ _id }) => _id),
    );
    expect(await Promise.all(left)).toEqual([['alive'], ['held']]);
  });
});
