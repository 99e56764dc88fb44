import { type Pool } from 'pg';
import { reasonOf } from '../lib/store-operation.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type SessionTables, createSessionTables } from './session-tables.js';

/** `insufficient_privilege` */
const NO_RIGHT = '42501';
/** `undefined_table`, `undefined_column` */
const MISSING_CODES = ['42P01', '42703'];
/** Refused access, wrong names and types, and schemas that are missing. */
const REFUSED_CODES = /^(?:42|3F)/;

const GRANT =
  'Grant USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on the tables, to the user of the pool.';

/** Any number, the same in all replicas: they create the tables one after the other. */
const CREATION_LOCK = 7_318_421;

/** What tables are needed for. */
export interface TableCheck {
  readonly createsTables: boolean;
  /** Of the session ids of this application. */
  readonly idLength: number;
  readonly isIndexed: boolean;
  readonly tables: SessionTables;
}

/**
 * Creates the tables if that is wanted, and checks that they can hold sessions.
 *
 * @throws SessionOptionError for a table that is missing, may not be written, or is too narrow for the ids
 */
export async function checkTables(pool: Pool, check: TableCheck): Promise<void> {
  const { createsTables, idLength, isIndexed, tables } = check;
  if (createsTables) await createTables(pool, tables.sessions).catch(refuseWith(remedyOfCreation));
  for (const query of isIndexed ? [...ofDefault(tables), ...ofIndexed(tables)] : ofDefault(tables))
    await pool
      .query(`${query} LIMIT 0`)
      .catch(refuseWith((code) => remedyOfReading(code, createsTables)));
  await refuseReaders(pool, check);
  await refuseNarrowIds(pool, tables.sessions, idLength);
}

function refusal(reason: string, remedy: string): SessionOptionError {
  return new SessionOptionError(
    `postgresSessions.table must name tables of sessions, but ${reason}. ${remedy}`,
  );
}

function refuseWith(remedyOf: (code: string) => string): (error: unknown) => never {
  return (error) => {
    const { code = '' } = error as { code?: string };
    if (!REFUSED_CODES.test(code)) throw error;
    throw refusal(reasonOf(error), remedyOf(code));
  };
}

function remedyOfCreation(code: string): string {
  if (code === NO_RIGHT)
    return 'Grant CREATE on the schema to the user of the pool, or run the SQL of createSessionTables() in a migration and leave createTables out.';
  return code.startsWith('3F')
    ? 'Create the schema first, or give another name.'
    : 'Give another name.';
}

function remedyOfReading(code: string, createsTables: boolean): string {
  if (code === NO_RIGHT) return GRANT;
  return createsTables || !MISSING_CODES.includes(code)
    ? 'Give another name.'
    : 'Run the SQL of createSessionTables() in a migration, or set createTables to true.';
}

function ofDefault({ sessions, attributes }: SessionTables): string[] {
  return [
    `SELECT primary_id, session_id, creation_time, last_access_time, max_inactive_interval, expiry_time, principal_name FROM ${sessions}`,
    `SELECT session_primary_id, attribute_name, attribute_bytes FROM ${attributes}`,
  ];
}

function ofIndexed({ indexes, ends, events, positions }: SessionTables): string[] {
  return [
    `SELECT session_primary_id, index_name, index_value FROM ${indexes}`,
    `SELECT session_id, reason, forget_time FROM ${ends}`,
    `SELECT event_id, transaction_id, attributes, taken_until, deliveries, is_handled FROM ${events}`,
    `SELECT replica_name, transaction_id, event_id, noted_at FROM ${positions}`,
  ];
}

async function createTables(pool: Pool, table: string): Promise<void> {
  // Several statements without values are one transaction.
  await pool.query(`SELECT pg_advisory_xact_lock(${CREATION_LOCK}); ${createSessionTables(table)}`);
}

/** A user who may only read would be noticed at the first login. */
async function refuseReaders(pool: Pool, { isIndexed, tables }: TableCheck): Promise<void> {
  const { sessions, attributes, ...others } = tables;
  const names = [sessions, attributes, ...(isIndexed ? Object.values(others) : [])];
  const { rows } = await pool.query<{ missing: string }>(
    `SELECT privilege || ' on ' || name AS missing
       FROM unnest($1::text[]) name, unnest('{INSERT,UPDATE,DELETE}'::text[]) privilege
      WHERE NOT has_table_privilege(name, privilege)
        AND (privilege = 'DELETE' OR NOT has_any_column_privilege(name, privilege))`,
    [names],
  );
  const [right] = rows;
  if (right) throw refusal(`the user of the pool has no right to ${right.missing}`, GRANT);
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
