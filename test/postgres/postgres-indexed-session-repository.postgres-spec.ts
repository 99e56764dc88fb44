import { randomBytes } from 'node:crypto';
import { beforeAll } from '@jest/globals';
import { PostgresClient } from '../../libs/redis-session/src/postgres/postgres-client.js';
import { PostgresIndexedSessionRepository } from '../../libs/redis-session/src/postgres/postgres-indexed-session-repository.js';
import { sessionTables } from '../../libs/redis-session/src/postgres/session-tables.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { describeIndexedSessionRepository } from '../../libs/redis-session/src/testing/contract/indexed-session-repository.contract.js';
import { type IndexedFactoryOptions } from '../../libs/redis-session/src/testing/contract/indexed-repository-under-test.js';
import { describeSessionRepository } from '../../libs/redis-session/src/testing/contract/session-repository.contract.js';
import { INDEX_OPTIONS } from '../support/index-options.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();
let table: string;

beforeAll(async () => {
  table = await postgres.createTables();
});

function createRepository(options: IndexedFactoryOptions): PostgresIndexedSessionRepository {
  const client = new PostgresClient(postgres.pool, 10_000);
  const all = { ...DEFAULT_REPOSITORY_OPTIONS, commandTimeoutMs: 2000, ...options };
  return new PostgresIndexedSessionRepository(client, sessionTables(table), all);
}

describeSessionRepository('PostgresIndexedSessionRepository', (options) =>
  createRepository({
    ...options,
    indexed: INDEX_OPTIONS,
  }),
);

describeIndexedSessionRepository('PostgresIndexedSessionRepository', createRepository);

const encryption = {
  keys: [randomBytes(32).toString('base64')],
  indexKey: randomBytes(32).toString('base64'),
};

describeIndexedSessionRepository('PostgresIndexedSessionRepository with encryption', (options) =>
  createRepository({ ...options, encryption }),
);
