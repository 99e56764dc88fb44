import { describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { PostgresClient } from '../../libs/redis-session/src/postgres/postgres-client.js';
import { PostgresIndexedSessionRepository } from '../../libs/redis-session/src/postgres/postgres-indexed-session-repository.js';
import { sessionTables } from '../../libs/redis-session/src/postgres/session-tables.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { INDEX_OPTIONS } from '../support/index-options.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';
import { eventually } from '../support/waiting/eventually.js';

const postgres = useTestPostgres();

describe('5,000 expired sessions', () => {
  it('are ended by three workers once each, although the server ends their connections again and again', async () => {
    const table = await postgres.createTables();
    await postgres.pool.query(
      `INSERT INTO ${table} SELECT gen_random_uuid(), 'expired-' || n, 0, 0, 1, 1, NULL FROM generate_series(1, 5000) n`,
    );
    const pools = [1, 2, 3].map(() => {
      const pool = new Pool({ connectionString: postgres.running.url, application_name: table });
      return pool.on('error', () => undefined);
    });
    let failures = 0;
    const work = async (pool: Pool) => {
      const worker = new PostgresIndexedSessionRepository(
        new PostgresClient(pool, 10_000),
        sessionTables(table),
        { ...DEFAULT_REPOSITORY_OPTIONS, commandTimeoutMs: 10_000, indexed: INDEX_OPTIONS },
      );
      while (((await postgres.count(table)) ?? 0) > 0)
        await worker.endExpired().catch(() => (failures += 1));
    };
    const done = Promise.all(pools.map(work));
    const isDone = done.then(() => true);
    await eventually(async () => {
      await postgres.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle'",
        [table],
      );
      return failures >= 5 || Promise.race([isDone, Promise.resolve(false)]);
    });
    await done;
    await Promise.all(pools.map((pool) => pool.end()));
    const { rows } = await postgres.pool.query<{ told: number; ended: number }>(
      `SELECT count(*)::int AS told, count(DISTINCT session_id)::int AS ended FROM ${table}_events WHERE type = 'expired'`,
    );
    expect(rows).toEqual([{ told: 5000, ended: 5000 }]);
    expect(failures).toBeGreaterThan(0);
  });
});
