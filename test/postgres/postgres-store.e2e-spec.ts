import { beforeEach, describe, expect, it } from '@jest/globals';
import { postgresSessions, createSessionTables } from 'nestjs-redis-session/postgres';
import { Pool } from 'pg';
import { createApp } from '../support/apps/start-app.js';
import { useStartingApp } from '../support/apps/starting-app.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';
import { eventually } from '../support/waiting/eventually.js';
import { randomUUID } from 'node:crypto';

const postgres = useTestPostgres();
const app = useStartingApp();

describe('at start', () => {
  it('tells how to create a table that is missing', async () => {
    const store = postgresSessions({ pool: postgres.running.url, table: 'absent' });
    expect(await app.outcomeOf({ store })).toBe(
      'SessionOptionError: postgresSessions.table must name tables of sessions, but relation "absent" does not exist. Run the SQL of createSessionTables() in a migration, or set createTables to true.',
    );
  });

  it('creates the tables when it is told to, also when several replicas do so at once', async () => {
    const table = `made_${randomUUID().slice(0, 8)}`;
    const replicas = await Promise.all(
      [1, 2, 3].map(() =>
        createApp('express', {
          options: {
            store: postgresSessions({ pool: postgres.running.url, table, createTables: true }),
          },
        }),
      ),
    );
    await Promise.all(replicas.map((replica) => replica.init()));
    await Promise.all(replicas.map((replica) => replica.close()));
    expect(await postgres.count(table)).toBe(0);
  });

  describe('as a user who has not all rights', () => {
    const TABLES = 'postgresSessions.table must name tables of sessions, but';
    const GRANT =
      'Grant USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on the tables, to the user of the pool.';
    let table: string;
    let user: string;

    beforeEach(async () => {
      user = `user_${randomUUID().slice(0, 8)}`;
      table = `${user}.sessions`;
      await postgres.pool.query(
        `CREATE ROLE ${user} LOGIN; CREATE SCHEMA ${user}; ${createSessionTables(table)}`,
      );
    });

    const outcome = (options: object = {}, repository: 'default' | 'indexed' = 'indexed') => {
      const pool = postgres.running.url.replace('postgres@', `${user}@`);
      return app.outcomeOf({ store: postgresSessions({ pool, table, ...options }), repository });
    };
    const grant = (right: string) => postgres.pool.query(`GRANT ${right} TO ${user}`);

    it('tells what to grant, until all is granted', async () => {
      expect(await outcome()).toContain(`${TABLES} permission denied for schema ${user}. ${GRANT}`);
      await grant(`USAGE ON SCHEMA ${user}`);
      expect(await outcome()).toContain(`${TABLES} permission denied for table sessions. ${GRANT}`);
      await grant(`SELECT ON ALL TABLES IN SCHEMA ${user}`);
      expect(await outcome()).toContain(`has no right to INSERT on ${table}. ${GRANT}`);
      await grant(`INSERT, UPDATE ON ALL TABLES IN SCHEMA ${user}`);
      expect(await outcome()).toContain(`has no right to DELETE on ${table}. ${GRANT}`);
      await grant(`DELETE ON ${table}, ${table}_attributes`);
      expect(await outcome({}, 'default')).toBe('started');
      expect(await outcome()).toContain(`has no right to DELETE on ${table}_indexes. ${GRANT}`);
      await grant(`DELETE ON ALL TABLES IN SCHEMA ${user}`);
      expect(await outcome()).toBe('started');
    });

    it('counts rights on columns, too', async () => {
      await grant(`USAGE ON SCHEMA ${user}`);
      await grant(`SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA ${user}`);
      await grant(`UPDATE (last_access_time, expiry_time, session_id) ON ${table}`);
      await grant(`UPDATE (attribute_bytes) ON ${table}_attributes`);
      expect(await outcome({}, 'default')).toBe('started');
    });

    it('tells what is missing to create the tables', async () => {
      const createTables = true;
      expect(await outcome({ createTables })).toContain(
        `${TABLES} permission denied for schema ${user}. Grant CREATE on the schema to the user of the pool, or run the SQL of createSessionTables() in a migration and leave createTables out.`,
      );
      await grant(`CREATE, USAGE ON SCHEMA ${user}`);
      const own = { createTables, table: `${user}.own` };
      expect(await outcome(own)).toBe('started');
      await postgres.pool.query(`ALTER TABLE ${user}.own_attributes OWNER TO postgres`);
      expect(await outcome(own)).toContain(
        `${TABLES} permission denied for table own_attributes. ${GRANT}`,
      );
      await grant(`SELECT, INSERT, UPDATE, DELETE ON ${user}.own_attributes`);
      expect(await outcome(own)).toBe('started');
    });
  });

  it('creates the tables in a schema, and tells when there is none', async () => {
    const schema = `shop_${randomUUID().slice(0, 8)}`;
    const pool = postgres.running.url;
    const store = () => postgresSessions({ pool, table: `${schema}.web`, createTables: true });
    expect(await app.outcomeOf({ store: store() })).toBe(
      `SessionOptionError: postgresSessions.table must name tables of sessions, but schema "${schema}" does not exist. Create the schema first, or give another name.`,
    );
    await postgres.pool.query(`CREATE SCHEMA ${schema}`);
    expect(await app.outcomeOf({ store: store(), repository: 'indexed' })).toBe('started');
    expect(await postgres.count(`${schema}.web`, 'events')).toBe(0);
  });

  it.each(['user', 'order'])('refuses the name %s, which SQL needs itself', async (table) => {
    const store = postgresSessions({ pool: postgres.running.url, table, createTables: true });
    expect(await app.outcomeOf({ store })).toContain(
      `postgresSessions.table must name tables of sessions, but syntax error at or near "${table}". Give another name.`,
    );
  });

  it('fails when PostgreSQL cannot be reached, and does not show the password', async () => {
    const store = postgresSessions({ pool: 'postgres://kim:hunter2@127.0.0.1:1/shop' });
    expect(await app.outcomeOf({ store })).toBe(
      'SessionStoreError: Cannot reach PostgreSQL: the session store failed (connect ECONNREFUSED 127.0.0.1:1). Check that the store is reachable and accepts writes.',
    );
  });

  it("works with Spring's own tables when the ids are UUIDs, and refuses longer ids", async () => {
    const table = `spring_${randomUUID().slice(0, 8)}`;
    const narrow = createSessionTables(table).replace(/session_id +text/, 'session_id char(36)');
    await postgres.pool.query(narrow);
    const store = () => postgresSessions({ pool: postgres.running.url, table });
    expect(await app.outcomeOf({ store: store() })).toBe(
      `SessionOptionError: sessionIdGenerator must make ids of at most 36 characters, which is what the column session_id of ${table} holds, got 43. Make the column of type text, or give a generator such as randomUUID.`,
    );
    expect(await app.outcomeOf({ store: store(), sessionIdGenerator: randomUUID })).toBe('started');
    await postgres.pool.query(`ALTER TABLE ${table} ALTER COLUMN session_id TYPE text`);
    expect(await app.outcomeOf({ store: store() })).toBe('started');
  });

  it.each([
    ['redis', { redis: 'redis://localhost' }],
    ['namespace', { namespace: 'shop' }],
    ['sharedCommands', { sharedCommands: false }],
  ])('refuses %s, which is of Redis', async (name, options) => {
    const store = postgresSessions({ pool: postgres.running.url });
    expect(await app.outcomeOf({ store, ...options })).toContain(
      `${name} must be left out when store is PostgreSQL`,
    );
  });

  it.each([
    [{ pool: 'redis://localhost' }, 'postgresSessions.pool must be a url such as'],
    [{ pool: 'postgres://localhost', table: 'a"; DROP TABLE users' }, 'table must be a name of'],
    [{ pool: 'postgres://localhost', tabel: 'x' }, 'Did you mean postgresSessions.table?'],
  ])('refuses %j', (options, message) => {
    expect(() => postgresSessions(options)).toThrow(message);
  });
});

describe('at shutdown', () => {
  it('closes a pool that the store has opened', async () => {
    await app.start({
      store: postgresSessions({ pool: postgres.running.url, createTables: true }),
    });
    const others = async () => {
      const { rows } = await postgres.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE client_port IS NOT NULL AND pid <> pg_backend_pid() AND state = 'idle'",
      );
      return rows.length;
    };
    await app.close();
    // A server process outlives its connection for a moment.
    await eventually(async () => (await others()) === 0);
  });

  it('leaves a pool of the application open', async () => {
    const pool = new Pool({ connectionString: postgres.running.url });
    await app.start({ store: postgresSessions({ pool, createTables: true }) });
    await app.close();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(pool.listenerCount('error')).toBe(0);
    // The server may stop before the connections have closed.
    pool.on('error', () => undefined);
    await pool.end();
  });
});
