import { SessionOptionError } from '../session/session.errors.js';

/** The tables of one store. */
export interface SessionTables {
  readonly sessions: string;
  readonly attributes: string;
  /** Values of the indexes other than that of the user. */
  readonly indexes: string;
  /** Why sessions were ended by somebody else than their user. */
  readonly ends: string;
  readonly events: string;
  /** How far each replica has read the events of `'broadcast'`. */
  readonly positions: string;
}

/** Name of the sessions' table in Spring Session JDBC. */
export const DEFAULT_TABLE = 'spring_session';

/**
 * The names of the tables, all of which begin with that of the first.
 *
 * @param table - may name its schema, such as `web.spring_session`
 * @throws SessionOptionError unless the name can be written without quotes
 */
export function sessionTables(table: string): SessionTables {
  if (!/^(?:[a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]{0,49}$/.test(table)) {
    throw new SessionOptionError(
      `table must be a name of lower case letters, digits and "_", with or without a schema before it, got ${JSON.stringify(table)}.`,
    );
  }
  return {
    sessions: table,
    attributes: `${table}_attributes`,
    indexes: `${table}_indexes`,
    ends: `${table}_ends`,
    events: `${table}_events`,
    positions: `${table}_positions`,
  };
}

/**
 * The SQL that creates the tables where they do not exist: for a migration of yours.
 *
 * @param table - name of the first table. @defaultValue `spring_session`
 * @throws SessionOptionError for a name that is none
 */
export function createSessionTables(table = DEFAULT_TABLE): string {
  const tables = sessionTables(table);
  return springTables(tables) + indexTables(tables) + eventTables(tables);
}

/** Those of Spring Session JDBC, with longer texts. Repository `'default'` needs no others. */
function springTables({ sessions, attributes }: SessionTables): string {
  const index = sessions.replace(/^.*\./, '');
  return `
CREATE TABLE IF NOT EXISTS ${sessions} (
  primary_id            char(36) PRIMARY KEY,  -- stays when the id changes
  session_id            text     NOT NULL,
  creation_time         bigint   NOT NULL,     -- epoch ms
  last_access_time      bigint   NOT NULL,     -- epoch ms
  max_inactive_interval bigint   NOT NULL,     -- seconds, negative = never
  expiry_time           bigint   NOT NULL,     -- epoch ms, 9223372036854775807 = never
  principal_name        text
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX IF NOT EXISTS ${index}_ix1 ON ${sessions} (session_id);
CREATE INDEX IF NOT EXISTS ${index}_ix2 ON ${sessions} (expiry_time);
CREATE INDEX IF NOT EXISTS ${index}_ix3 ON ${sessions} USING hash (principal_name);

CREATE TABLE IF NOT EXISTS ${attributes} (
  session_primary_id char(36) NOT NULL REFERENCES ${sessions} (primary_id) ON DELETE CASCADE,
  attribute_name     text     NOT NULL,
  attribute_bytes    bytea    NOT NULL,        -- UTF-8
  PRIMARY KEY (session_primary_id, attribute_name)
) WITH (fillfactor = 80);
`;
}

/** Those that repository `'indexed'` needs besides. */
function indexTables({ sessions, indexes, ends }: SessionTables): string {
  const index = sessions.replace(/^.*\./, '');
  return `
CREATE TABLE IF NOT EXISTS ${indexes} (
  session_primary_id char(36) NOT NULL REFERENCES ${sessions} (primary_id) ON DELETE CASCADE,
  index_name         text     NOT NULL,
  index_value        text     NOT NULL,
  PRIMARY KEY (session_primary_id, index_name)
);
CREATE INDEX IF NOT EXISTS ${index}_indexes_ix1 ON ${indexes} USING hash (index_value);

CREATE TABLE IF NOT EXISTS ${ends} (
  session_id  text   PRIMARY KEY,
  reason      text   NOT NULL,
  forget_time bigint NOT NULL                  -- epoch ms
);
CREATE INDEX IF NOT EXISTS ${index}_ends_ix1 ON ${ends} (forget_time);
`;
}

function eventTables({ sessions, events, positions }: SessionTables): string {
  const index = sessions.replace(/^.*\./, '');
  return `
CREATE TABLE IF NOT EXISTS ${events} (
  event_id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction_id      xid8        NOT NULL DEFAULT pg_current_xact_id(),
  type                text        NOT NULL,
  session_id          text        NOT NULL,
  previous_session_id text,
  reason              text,
  creation_time       bigint      NOT NULL,    -- epoch ms, of the session
  principal_name      text,
  index_values        json,                    -- of the other indexes, by name
  attributes          json,                    -- base64, by name
  occurred_at         timestamptz NOT NULL DEFAULT now(),
  taken_until         timestamptz,             -- 'once': a replica handles it until then
  deliveries          int         NOT NULL DEFAULT 0,
  is_handled          boolean     NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS ${index}_events_ix1 ON ${events} (transaction_id, event_id);
CREATE INDEX IF NOT EXISTS ${index}_events_ix2 ON ${events} (event_id) WHERE NOT is_handled;

CREATE TABLE IF NOT EXISTS ${positions} (
  replica_name   text        PRIMARY KEY,
  transaction_id xid8        NOT NULL,
  event_id       bigint      NOT NULL,
  noted_at       timestamptz NOT NULL DEFAULT now()
);
`;
}
