import { type Pool } from 'pg';
import { SessionOptionError } from '../session/session.errors.js';
import { type SessionTables, createSessionTables } from './session-tables.js';

/** `undefined_table`, `undefined_column`, `invalid_schema_name` */
const MISSING_CODES = ['42P01', '42703', '3F000'];

/** Any number, the same in all replicas: they create the tables one after the other. */
const CREATION_LOCK = 7_318_421;

/**
 * Creates the tables if that is wanted, and checks that they can hold sessions.
 *
 * @param idLength - of the session ids of this application
 * @throws SessionOptionError for a table that is missing, or too narrow for the ids
 */
export async function checkTables(
  pool: Pool,
  { createsTables, tables }: { readonly createsTables: boolean; readonly tables: SessionTables },
  idLength: number,
): Promise<void> {
  if (createsTables) await createTables(pool, tables.sessions);
  try {
    const { sessions, attributes } = tables;
    await pool.query(
      `SELECT primary_id, session_id, creation_time, last_access_time, max_inactive_interval, expiry_time, principal_name,
              session_primary_id, attribute_name, attribute_bytes
         FROM ${sessions} LEFT JOIN ${attributes} ON session_primary_id = primary_id LIMIT 0`,
    );
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (!code || !MISSING_CODES.includes(code)) throw error;
    throw new SessionOptionError(
      `postgresSessions.table must name tables of sessions, but ${message}. Run the SQL of createSessionTables() in a migration, or set createTables to true.`,
    );
  }
  await refuseNarrowIds(pool, tables.sessions, idLength);
}

async function createTables(pool: Pool, table: string): Promise<void> {
  // Several statements without values are one transaction.
  await pool.query(`SELECT pg_advisory_xact_lock(${CREATION_LOCK}); ${createSessionTables(table)}`);
}

/** Spring's own column holds the 36 characters of a UUID. */
async function refuseNarrowIds(pool: Pool, table: string, idLength: number): Promise<void> {
  const { rows } = await pool.query<{ length: number }>(
    `SELECT atttypmod - 4 AS length FROM pg_attribute
      WHERE attrelid = to_regclass($1) AND attname = 'session_id' AND atttypmod > 4`,
    [table],
  );
  const [column] = rows;
  if (!column || column.length >= idLength) return;
  throw new SessionOptionError(
    `sessionIdGenerator must make ids of at most ${column.length} characters, which is what the column session_id of ${table} holds, got ${idLength}. Make the column of type text, or give a generator such as randomUUID.`,
  );
}
