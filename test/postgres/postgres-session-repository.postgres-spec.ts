import { beforeAll } from '@jest/globals';
import { PostgresClient } from '../../libs/redis-session/src/postgres/postgres-client.js';
import { PostgresSessionRepository } from '../../libs/redis-session/src/postgres/postgres-session-repository.js';
import { sessionTables } from '../../libs/redis-session/src/postgres/session-tables.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { describeSessionRepository } from '../../libs/redis-session/src/testing/contract/session-repository.contract.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();
let table: string;

beforeAll(async () => {
  table = await postgres.createTables();
});

describeSessionRepository('PostgresSessionRepository', (options) => {
  const client = new PostgresClient(postgres.pool, 10_000);
  const all = { ...DEFAULT_REPOSITORY_OPTIONS, ...options };
  return new PostgresSessionRepository(client, sessionTables(table), all);
});
