import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach } from '@jest/globals';
import { DeadlineRunner } from '../../libs/redis-session/src/mongo/deadline-runner.js';
import { MongoIndexedSessionRepository } from '../../libs/redis-session/src/mongo/indexed/mongo-indexed-session-repository.js';
import {
  type SessionCollections,
  createIndexes,
  sessionCollections,
} from '../../libs/redis-session/src/mongo/session-collections.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { describeIndexedSessionRepository } from '../../libs/redis-session/src/testing/contract/indexed-session-repository.contract.js';
import { type IndexedFactoryOptions } from '../../libs/redis-session/src/testing/contract/indexed-repository-under-test.js';
import { describeSessionRepository } from '../../libs/redis-session/src/testing/contract/session-repository.contract.js';
import { INDEX_OPTIONS } from '../support/index-options.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

/** FerretDB looks through whole collections. */
const TIMEOUT_MS = 20_000;

const mongo = useTestMongo();
let collections: SessionCollections;

/** Each test has collections of its own, so that they stay small. */
beforeEach(async () => {
  collections = sessionCollections(mongo.db, `sessions_${randomUUID()}`);
  await createIndexes(collections, ['principal', 'tenant']);
});

function createRepository(options: IndexedFactoryOptions): MongoIndexedSessionRepository {
  const all = { ...DEFAULT_REPOSITORY_OPTIONS, commandTimeoutMs: TIMEOUT_MS, ...options };
  return new MongoIndexedSessionRepository(collections, new DeadlineRunner(TIMEOUT_MS), all);
}

describeSessionRepository('MongoIndexedSessionRepository', (options) =>
  createRepository({
    ...options,
    indexed: INDEX_OPTIONS,
  }),
);
describeIndexedSessionRepository('MongoIndexedSessionRepository', createRepository);

const encryption = {
  keys: [randomBytes(32).toString('base64')],
  indexKey: randomBytes(32).toString('base64'),
};

describeIndexedSessionRepository('MongoIndexedSessionRepository with encryption', (options) =>
  createRepository({ ...options, encryption }),
);
