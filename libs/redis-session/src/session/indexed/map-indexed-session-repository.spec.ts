import { randomBytes } from 'node:crypto';
import { INDEX_OPTIONS } from '../../../../../test/support/index-options.js';
import { describeIndexedSessionRepository } from '../../testing/contract/indexed-session-repository.contract.js';
import { type IndexedFactoryOptions } from '../../testing/contract/indexed-repository-under-test.js';
import { describeSessionRepository } from '../../testing/contract/session-repository.contract.js';
import { MapIndexedSessionRepository } from './map-indexed-session-repository.js';
import { SessionMemory } from './session-memory.js';

/** Two repositories of one test are two replicas. */
const memory = new SessionMemory();

function createRepository(options: IndexedFactoryOptions): MapIndexedSessionRepository {
  return new MapIndexedSessionRepository({ ...options, commandTimeoutMs: 1000 }, memory);
}

describeSessionRepository('MapIndexedSessionRepository', (options) =>
  createRepository({ ...options, indexed: INDEX_OPTIONS }),
);
describeIndexedSessionRepository('MapIndexedSessionRepository', createRepository);

const encryption = {
  keys: [randomBytes(32).toString('base64')],
  indexKey: randomBytes(32).toString('base64'),
};

describeIndexedSessionRepository('MapIndexedSessionRepository with encryption', (options) =>
  createRepository({ ...options, encryption }),
);
