import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PostgresClient } from '../../libs/redis-session/src/postgres/postgres-client.js';
import { PostgresSessionRepository } from '../../libs/redis-session/src/postgres/postgres-session-repository.js';
import {
  createSessionTables,
  sessionTables,
} from '../../libs/redis-session/src/postgres/session-tables.js';
import { sessionStatements } from '../../libs/redis-session/src/postgres/statements.js';
import { type MapSession } from '../../libs/redis-session/src/session/map-session.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { CountingPool } from '../support/postgres/counting-pool.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();
const warnings: string[] = [];
let pool: CountingPool;

beforeEach(() => {
  pool = new CountingPool(postgres.running.url);
  warnings.length = 0;
});

afterEach(() => pool.end());

function repositoryOn(table: string): PostgresSessionRepository {
  const warn = (message: string) => void warnings.push(message);
  return new PostgresSessionRepository(new PostgresClient(pool, 10_000), sessionTables(table), {
    ...DEFAULT_REPOSITORY_OPTIONS,
    logger: { warn, error: warn },
    sessionIdGenerator: randomUUID,
  });
}

async function createTables(idType: string): Promise<string> {
  const table = `test_${randomUUID().slice(0, 8)}`;
  const sql = createSessionTables(table).replace(
    /session_id +text +NOT/,
    `session_id ${idType} NOT`,
  );
  await pool.query(sql);
  return table;
}

async function storeSessions(
  repository: PostgresSessionRepository,
  count: number,
): Promise<MapSession[]> {
  const sessions = Array.from({ length: count }, () => repository.createSession());
  for (const [place, session] of sessions.entries()) {
    session.setAttribute('place', place);
    await session.save();
  }
  return sessions;
}

/** Asks for all of them in one turn of the event loop. */
async function placesOf(repository: PostgresSessionRepository, ids: readonly string[]) {
  pool.statements.length = 0;
  const found = await Promise.all(ids.map((id) => repository.findById(id)));
  return found.map((session) => session?.getAttribute('place'));
}

describe.each(['text', 'varchar(64)', 'char(36)'])('with ids in a column of %s', (idType) => {
  it('16 reads of one turn share a statement, and each gets its own session', async () => {
    const repository = repositoryOn(await createTables(idType));
    const ids = (await storeSessions(repository, 16)).map(({ id }) => id);
    ids.splice(7, 1, randomUUID());
    const expected = ids.map((_, place) => (place === 7 ? undefined : place));
    expect(await placesOf(repository, ids)).toEqual(expected);
    expect(pool.statements).toHaveLength(1);
  });

  it('finds each by the index', async () => {
    const table = await createTables(idType);
    const { text } = sessionStatements(sessionTables(table), false).read;
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN ${text.replace('$1', `'["a", "b"]'`)}`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain(`Index Scan using ${table}_ix1`);
    expect(plan).not.toContain(`Seq Scan on ${table} `);
  });
});

describe('reads that share a statement', () => {
  it('are independent of an id that no session can have', async () => {
    const repository = repositoryOn(await createTables('text'));
    const [session] = await storeSessions(repository, 1);
    const ids = ['nul\0', 'half a pair \ud800', '"]', `${session?.id ?? ''} `, session?.id ?? ''];
    expect(await placesOf(repository, ids)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      0,
    ]);
  });

  it('are independent of a session that cannot be read', async () => {
    const table = await createTables('text');
    const repository = repositoryOn(table);
    const sessions = await storeSessions(repository, 3);
    const ids = sessions.map(({ id }) => id);
    await pool.query(
      `UPDATE ${table}_attributes SET attribute_bytes = '\\xaced0005'
        WHERE session_primary_id = (SELECT primary_id FROM ${table} WHERE session_id = $1)`,
      [ids[1]],
    );
    expect(await placesOf(repository, ids)).toEqual([0, undefined, 2]);
    expect(warnings).toEqual([expect.stringContaining('bytes that are not UTF-8')]);
  });

  it('all fail when the statement does, and work again when it can', async () => {
    const table = await createTables('text');
    const repository = repositoryOn(table);
    const ids = (await storeSessions(repository, 3)).map(({ id }) => id);
    await pool.query(`ALTER TABLE ${table} RENAME TO ${table}_away`);
    const found = await Promise.allSettled(ids.map((id) => repository.findById(id)));
    expect(found.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await pool.query(`ALTER TABLE ${table}_away RENAME TO ${table}`);
    expect(await placesOf(repository, ids)).toEqual([0, 1, 2]);
  });

  it('are at most 16: the seventeenth leaves in another one', async () => {
    const repository = repositoryOn(await createTables('text'));
    const [session] = await storeSessions(repository, 1);
    const ids = Array.from({ length: 17 }, () => session?.id ?? '');
    expect(await placesOf(repository, ids)).toEqual(ids.map(() => 0));
    expect(pool.statements).toHaveLength(2);
  });
});
