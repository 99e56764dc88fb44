import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createSessionTables, postgresSessions } from 'nestjs-redis-session/postgres';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { type StartedApp, startApp } from '../support/apps/start-app.js';
import {
  SessionController,
  SessionSignals,
  sessionViewOf,
} from '../support/apps/session-controller.js';
import { VisitController } from '../support/faults/visit-controller.js';
import { Visitor } from '../support/http/visitor.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();

/** The tables that Spring Session JDBC 4.0 makes in PostgreSQL. */
const SPRING_TABLES = `
  CREATE SCHEMA spring;
  CREATE TABLE spring.spring_session (
    primary_id char(36) PRIMARY KEY, session_id char(36) NOT NULL, creation_time bigint NOT NULL,
    last_access_time bigint NOT NULL, max_inactive_interval int NOT NULL, expiry_time bigint NOT NULL,
    principal_name varchar(100));
  CREATE UNIQUE INDEX spring_session_ix1 ON spring.spring_session (session_id);
  CREATE INDEX spring_session_ix2 ON spring.spring_session (expiry_time);
  CREATE INDEX spring_session_ix3 ON spring.spring_session (principal_name);
  CREATE TABLE spring.spring_session_attributes (
    session_primary_id char(36) NOT NULL REFERENCES spring.spring_session ON DELETE CASCADE,
    attribute_name varchar(200) NOT NULL, attribute_bytes bytea NOT NULL,
    PRIMARY KEY (session_primary_id, attribute_name))`;

/** Types that hold all that Spring's types hold. */
const AS_WIDE: Record<string, readonly string[]> = {
  'character(36)': ['character(36)', 'text'],
  'character varying(100)': ['text'],
  'character varying(200)': ['text'],
  integer: ['integer', 'bigint'],
};

interface Column {
  readonly place: string;
  readonly type: string;
  readonly isRequired: boolean;
}

beforeAll(async () => {
  await postgres.pool.query(`${SPRING_TABLES}; ${createSessionTables()}`);
});

async function columnsOf(schema: string): Promise<Column[]> {
  const { rows } = await postgres.pool.query<Column>(
    `SELECT relname || '.' || attname AS place, format_type(atttypid, atttypmod) AS type, attnotnull AS "isRequired"
       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = $1::regnamespace AND relkind = 'r' AND attnum > 0
        AND relname IN ('spring_session', 'spring_session_attributes')
      ORDER BY relname, attnum`,
    [schema],
  );
  return rows;
}

/** Keys, references and the columns of indexes, as sentences. */
async function rulesOf(schema: string): Promise<string[]> {
  const { rows } = await postgres.pool.query<{ rule: string }>(
    `SELECT relname || ': ' || CASE WHEN indisunique THEN 'unique ' ELSE '' END
            || substring(pg_get_indexdef(indexrelid) FROM '\\(.*\\)') AS rule
       FROM pg_index JOIN pg_class ON oid = indrelid WHERE relnamespace = $1::regnamespace
        AND relname IN ('spring_session', 'spring_session_attributes')
      UNION
     SELECT relname || ': ' || replace(pg_get_constraintdef(c.oid), 'spring.', '')
       FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid
      WHERE relnamespace = $1::regnamespace AND contype = 'f'
        AND relname IN ('spring_session', 'spring_session_attributes')
      ORDER BY 1`,
    [schema],
  );
  return rows.map(({ rule }) => rule);
}

describe('createSessionTables()', () => {
  it('has the columns of Spring Session JDBC in their order, and none besides', async () => {
    const [own, springs] = [await columnsOf('public'), await columnsOf('spring')];
    expect(springs).toHaveLength(10);
    expect(own.map(({ place }) => place)).toEqual(springs.map(({ place }) => place));
    expect(own.map(({ isRequired }) => isRequired)).toEqual(
      springs.map(({ isRequired }) => isRequired),
    );
    for (const [index, { type }] of springs.entries())
      expect(AS_WIDE[type] ?? [type]).toContain(own[index]?.type);
  });

  it('has the keys, the indexes and the reference of Spring Session JDBC', async () => {
    const springs = await rulesOf('spring');
    expect(springs).toHaveLength(6);
    expect(await rulesOf('public')).toEqual(springs);
  });
});

describe("a session in Spring's own tables", () => {
  const log = new LoggedLines();
  let app: StartedApp;
  let visitor: Visitor;

  const start = async (table: string) => {
    app = await startApp('express', {
      controllers: [SessionController, VisitController],
      providers: [SessionSignals],
      log,
      options: {
        commandTimeoutMs: 10_000,
        sessionIdGenerator: randomUUID,
        store: postgresSessions({ pool: postgres.running.url, table }),
      },
    });
    visitor = new Visitor(app.url);
  };
  const names = async () =>
    Object.keys(sessionViewOf(await visitor.get('/session')).attributes).sort();

  afterEach(() => app.close());

  it('lives from its first attribute to the logout', async () => {
    await start('spring.spring_session');
    await visitor.put('/attributes', { theme: 'dark', cart: [] });
    const before = await visitor.cookie();
    expect((await visitor.post('/login')).status).toBe(201);
    expect(await visitor.cookie()).not.toBe(before);
    await visitor.post('/count');
    await visitor.put('/attributes', { theme: null });
    expect(await names()).toEqual(['SECURITY_CONTEXT', 'cart', 'count']);
    await visitor.post('/logout');
    expect(await names()).toEqual([]);
    const { rows } = await postgres.pool.query('SELECT FROM spring.spring_session_attributes');
    expect(rows).toEqual([]);
  });

  it.each([
    ['spring.spring_session', 200, 201],
    ['spring_session', 2000, 8000],
  ])('in %s, %d characters name an attribute, and %d are no outage', async (table, ...lengths) => {
    await start(table);
    const statuses: number[] = [];
    for (const length of lengths) {
      const name = randomBytes(length).toString('hex').slice(0, length);
      statuses.push((await visitor.put('/attributes', { [name]: 1 })).status);
    }
    expect(statuses).toEqual([200, 500]);
    expect(log.text).toMatch(
      /Cannot save the session: the name of the user, of an attribute or of an index is too long for its column \(.+\)\. Store a shorter one\./,
    );
    expect(log.text).not.toContain('Requests that need it are answered with 503');
    expect(await names()).toHaveLength(1);
  });
});
