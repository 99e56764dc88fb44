import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { DeadlineRunner } from '../../libs/redis-session/src/mongo/deadline-runner.js';
import { MongoIndexedSessionRepository } from '../../libs/redis-session/src/mongo/indexed/mongo-indexed-session-repository.js';
import {
  type SessionCollections,
  createIndexes,
  sessionCollections,
} from '../../libs/redis-session/src/mongo/session-collections.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { digestOf } from '../../libs/redis-session/src/session/session-id.js';
import { SessionStoreError } from '../../libs/redis-session/src/session/session.errors.js';
import { contextOf } from '../support/redis/indexed-repository.js';
import { INDEX_OPTIONS } from '../support/index-options.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const mongo = useTestMongo();
let collections: SessionCollections;

beforeEach(async () => {
  collections = sessionCollections(mongo.db, `sessions_${randomUUID()}`);
  await createIndexes(collections, ['principal']);
});

function repositoryWith(timeoutMs: number): MongoIndexedSessionRepository {
  return new MongoIndexedSessionRepository(collections, new DeadlineRunner(timeoutMs), {
    ...DEFAULT_REPOSITORY_OPTIONS,
    commandTimeoutMs: timeoutMs,
    logger: { warn: () => undefined, error: () => undefined },
    indexed: {
      ...INDEX_OPTIONS,
      eventDelivery: 'none',
      maximumSessions: 1,
      maximumSessionsPolicy: 'reject-login',
    },
  });
}

async function login(repository: MongoIndexedSessionRepository, name: string): Promise<void> {
  const session = repository.createSession();
  session.setAttribute('SECURITY_CONTEXT', contextOf(name));
  await session.save();
}

/** A replica was killed while it held the lock of kim. */
async function leaveLock(until: Date): Promise<void> {
  await collections.locks.insertOne({ _id: digestOf('kim'), owner: 'killed', until });
}

const stored = () => collections.sessions.countDocuments();

describe('the lock of a user that a killed replica has left behind', () => {
  it('holds logins of the user until it ends by itself, and then lets them through', async () => {
    const until = new Date(Date.now() + 1000);
    await leaveLock(until);
    await login(repositoryWith(20_000), 'kim');
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime());
    expect([await stored(), await collections.locks.countDocuments()]).toEqual([1, 0]);
  });

  it('fails a login that cannot wait so long, which stores nothing', async () => {
    await leaveLock(new Date(Date.now() + 60_000));
    await expect(login(repositoryWith(500), 'kim')).rejects.toThrow(SessionStoreError);
    expect(await stored()).toBe(0);
    expect(await collections.locks.findOne()).toMatchObject({ owner: 'killed' });
  });

  it('does not concern other users', async () => {
    await leaveLock(new Date(Date.now() + 60_000));
    await login(repositoryWith(20_000), 'lee');
    expect(await stored()).toBe(1);
  });
});

describe('the lock of a login that took too long', () => {
  it('stays with the replica that has taken it over', async () => {
    const repository = repositoryWith(20_000);
    const until = new Date(Date.now() + 60_000);
    const insertOfTakeover = { $set: { owner: 'successor', until } };
    const countDocuments = collections.sessions.countDocuments.bind(collections.sessions);
    collections.sessions.countDocuments = async (...given) => {
      await collections.locks.updateOne({ _id: digestOf('kim') }, insertOfTakeover);
      return countDocuments(...given);
    };
    await login(repository, 'kim');
    expect(await collections.locks.findOne()).toMatchObject({ owner: 'successor' });
  });
});
