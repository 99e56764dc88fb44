import { beforeAll } from '@jest/globals';
import { type Collection } from 'mongodb';
import { DeadlineRunner } from '../../libs/redis-session/src/mongo/deadline-runner.js';
import { MongoSessionRepository } from '../../libs/redis-session/src/mongo/sessions/mongo-session-repository.js';
import { type SessionDocument } from '../../libs/redis-session/src/mongo/sessions/session-document.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { describeSessionRepository } from '../../libs/redis-session/src/testing/contract/session-repository.contract.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const mongo = useTestMongo();
let sessions: Collection<SessionDocument>;

beforeAll(async () => {
  sessions = mongo.db.collection<SessionDocument>('sessions');
  await sessions.createIndex({ sessionId: 1 }, { unique: true }, {});
});

describeSessionRepository('MongoSessionRepository', (options) => {
  const all = { ...DEFAULT_REPOSITORY_OPTIONS, ...options };
  return new MongoSessionRepository(sessions, new DeadlineRunner(5000), all);
});
