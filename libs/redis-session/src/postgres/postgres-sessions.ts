import { z } from 'zod';
import {
  type OptionsOf,
  flagOption,
  objectOption,
  resolveOptionGroup,
} from '../lib/option-group.js';
import { type SessionStore } from '../session/session-store.js';
import { PostgresSessionStore, type PostgresPool } from './postgres-session-store.js';
import { DEFAULT_TABLE, sessionTables } from './session-tables.js';

/** What `postgresSessions` takes. */
export const postgresOptionGroup = z.strictObject({
  /** Creates the tables at start where they do not exist. For development: see `createSessionTables()` for migrations. */
  createTables: flagOption.default(false),
  /** Where PostgreSQL is: a url, options of `pg.Pool`, or a pool of yours, which the module never closes. */
  pool: z
    .union([
      z.string().regex(/^(?:postgres(?:ql)?|socket):/),
      objectOption<Exclude<PostgresPool, string>>(''),
    ])
    .describe('a url such as "postgres://localhost/shop", options of pg.Pool or a Pool'),
  /** Name of the table of the sessions, with or without its schema. The names of the other tables begin with it. */
  table: z.string().describe('a string').default(DEFAULT_TABLE),
});

/** What {@link postgresSessions} takes. */
export interface PostgresSessionsOptions extends OptionsOf<typeof postgresOptionGroup> {}

/**
 * Keeps sessions in PostgreSQL 13 or later, for the option `store`:
 *
 * ```ts
 * RedisSessionModule.forRoot({ store: postgresSessions({ pool: 'postgres://localhost/shop' }) })
 * ```
 *
 * @throws SessionOptionError naming the option that is unknown or wrong
 */
export function postgresSessions(options: PostgresSessionsOptions): SessionStore {
  const naming = { prefix: 'postgresSessions.', secret: ['pool'] };
  const { pool, table, createTables } = resolveOptionGroup(postgresOptionGroup, options, naming);
  const tables = sessionTables(table);
  return new PostgresSessionStore({ pool, tables, createsTables: createTables });
}
