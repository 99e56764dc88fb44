import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Pool, type PoolClient } from 'pg';
import { PostgresClient } from '../../libs/redis-session/src/postgres/postgres-client.js';
import { PostgresSessionRepository } from '../../libs/redis-session/src/postgres/postgres-session-repository.js';
import { sessionTables } from '../../libs/redis-session/src/postgres/session-tables.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { type MapSession } from '../../libs/redis-session/src/session/map-session.js';
import {
  SessionInvalidatedError,
  SessionStoreError,
} from '../../libs/redis-session/src/session/session.errors.js';
import { eventually } from '../support/waiting/eventually.js';
import { CountingPool } from '../support/postgres/counting-pool.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();
const warnings: string[] = [];
let table: string;
let other: PoolClient;
let session: MapSession;

function repositoryOn(pool: Pool, timeoutMs = 10_000): PostgresSessionRepository {
  const warn = (message: string) => void warnings.push(message);
  const options = { ...DEFAULT_REPOSITORY_OPTIONS, logger: { warn, error: warn } };
  return new PostgresSessionRepository(
    new PostgresClient(pool, timeoutMs),
    sessionTables(table),
    options,
  );
}

/** Another replica is in the middle of a transaction that has the row of the session. */
async function lockByOther(): Promise<void> {
  await other.query('BEGIN');
  await other.query(`UPDATE ${table} SET last_access_time = last_access_time`);
}

const writeByOther = (name: string, json: string) =>
  other.query(
    `INSERT INTO ${table}_attributes SELECT primary_id, $1, convert_to($2, 'UTF8') FROM ${table}
     ON CONFLICT (session_primary_id, attribute_name) DO UPDATE SET attribute_bytes = excluded.attribute_bytes`,
    [name, json],
  );

/** Starts a save, and has the other transaction end only when the save waits for it. */
async function saveMeanwhile(): Promise<void> {
  const saved = session.save();
  saved.catch(() => undefined);
  await eventually(async () => {
    const { rows } = await postgres.pool.query(
      "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'",
      [table],
    );
    return rows.length === 1;
  });
  await other.query('COMMIT');
  await saved;
}

/** Ends the other transaction and the connections of `pool` also when `use` fails. */
async function withPool(pool: Pool, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    await other.query('ROLLBACK');
    await pool.end();
  }
}

async function attributesOf(id: string): Promise<unknown> {
  const found = await repositoryOn(postgres.pool).findById(id);
  return (
    found &&
    Object.fromEntries(found.attributeNames.map((name) => [name, found.getAttribute(name)]))
  );
}

/** @param recordsAccess - then a save need not write the times of the session */
async function readSession(recordsAccess: boolean): Promise<void> {
  const repository = repositoryOn(postgres.pool);
  const created = repository.createSession();
  created.setAttribute('count', 1);
  await created.save();
  const options = recordsAccess ? { accessTimeMs: created.lastAccessedTime.getTime() + 1 } : {};
  session = (await repository.findById(created.id, options))!;
}

beforeEach(async () => {
  table = await postgres.createTables();
  other = await postgres.pool.connect();
});

afterEach(() => other.release());

describe.each([
  ['the access is recorded', true],
  ['the access is to be recorded', false],
])('a save that waits for the row, when %s', (_name, recordsAccess) => {
  beforeEach(() => readSession(recordsAccess));

  it('removes an attribute that the other replica has added meanwhile', async () => {
    await lockByOther();
    await writeByOther('cart', '[]');
    session.setAttribute('cart', 1);
    session.removeAttribute('cart');
    session.removeAttribute('count');
    await saveMeanwhile();
    expect(await attributesOf(session.id)).toEqual({});
  });

  it('computes an update again from what the other replica has written meanwhile', async () => {
    await lockByOther();
    await writeByOther('count', '10');
    void session.update<number>('count', (count = 0) => count + 1);
    await saveMeanwhile();
    expect(await attributesOf(session.id)).toEqual({ count: 11 });
  });

  it('keeps an attribute that the other replica has added meanwhile', async () => {
    await lockByOther();
    await writeByOther('cart', '["tea"]');
    session.setAttribute('theme', 'dark');
    await saveMeanwhile();
    expect(await attributesOf(session.id)).toEqual({ cart: ['tea'], count: 1, theme: 'dark' });
  });

  it.each(['set', 'update', 'change the id'])('writes nothing after a logout (%s)', async (how) => {
    await other.query('BEGIN');
    await other.query(`DELETE FROM ${table}`);
    if (how === 'set') session.setAttribute('theme', 'dark');
    else if (how === 'update') void session.update('count', () => 2);
    else session.changeSessionId();
    await expect(saveMeanwhile()).rejects.toThrow(SessionInvalidatedError);
    expect([await postgres.count(table), await postgres.count(table, 'attributes')]).toEqual([
      0, 0,
    ]);
  });

  it('fails at its deadline, and an update changes nothing later', async () => {
    const late = (await repositoryOn(postgres.pool, 200).findById(session.id))!;
    await lockByOther();
    void late.update('count', () => 2);
    await expect(late.save()).rejects.toThrow(SessionStoreError);
    await other.query('COMMIT');
    await eventually(async () => {
      const { rows } = await postgres.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() AND client_port IS NOT NULL",
      );
      return rows.length === 0;
    });
    expect(await attributesOf(session.id)).toEqual({ count: 1 });
  });

  it('is tried again where the server runs every transaction serializable', async () => {
    const pool = new Pool({
      connectionString: postgres.running.url,
      options: '-c default_transaction_isolation=serializable',
    });
    await withPool(pool, async () => {
      session = (await repositoryOn(pool).findById(session.id))!;
      await lockByOther();
      await writeByOther('cart', '[]');
      session.setAttribute('theme', 'dark');
      await saveMeanwhile();
    });
    expect(await attributesOf(session.id)).toEqual({ cart: [], count: 1, theme: 'dark' });
  });
});

describe('a request that changes one attribute', () => {
  it('writes the row of the session only once, with the record of its access', async () => {
    await readSession(true);
    const versionOfRow = async () =>
      (await postgres.pool.query<{ version: string }>(`SELECT xmin::text AS version FROM ${table}`))
        .rows;
    const recorded = await versionOfRow();
    session.setAttribute('theme', 'dark');
    await session.save();
    expect(await versionOfRow()).toEqual(recorded);
    expect(await attributesOf(session.id)).toEqual({ count: 1, theme: 'dark' });
  });
});

describe.each(['statement_timeout', 'lock_timeout'])('updates that wait for one row', (timeout) => {
  it(`all fail at the ${timeout} of the first one, the only one that is sent`, async () => {
    await readSession(true);
    const pool = new CountingPool(`${postgres.running.url}?${timeout}=1000`);
    await withPool(pool, async () => {
      const repository = repositoryOn(pool, 20_000);
      const copies = await Promise.all([1, 2, 3].map(() => repository.findById(session.id)));
      await lockByOther();
      pool.statements.length = 0;
      const saves = copies.map(async (copy) => {
        await copy?.update<number>('count', (count = 0) => count + 1);
        await copy?.save();
      });
      const results = await Promise.allSettled(saves);
      await other.query('COMMIT');
      expect(results.map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    });
    expect(pool.statements.filter((text) => text.startsWith('BEGIN'))).toHaveLength(1);
    expect(await attributesOf(session.id)).toEqual({ count: 1 });
  });
});

describe('a session that holds serialized Java objects', () => {
  it('counts as none, with a warning that shows nothing of it', async () => {
    await readSession(false);
    await other.query(`UPDATE ${table}_attributes SET attribute_bytes = '\\xaced0005'`);
    expect(await repositoryOn(postgres.pool).findById(session.id)).toBeUndefined();
    expect(warnings.filter((line) => line.startsWith('Cannot read'))).toEqual([
      'Cannot read a session: an attribute holds bytes that are not UTF-8, such as serialized Java objects. Delete the session; the client gets a new one.',
    ]);
    expect(warnings.join()).not.toContain(session.id);
    await repositoryOn(postgres.pool).deleteById(session.id);
    warnings.length = 0;
    expect(await repositoryOn(postgres.pool).findById(session.id)).toBeUndefined();
    expect(warnings).toEqual([]);
  });
});
