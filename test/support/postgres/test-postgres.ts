import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { Pool } from 'pg';
import {
  createSessionTables,
  sessionTables,
} from '../../../libs/redis-session/src/postgres/session-tables.js';
import {
  type PostgresServer,
  startPostgresServer,
} from '../../../tools/servers/postgres-server.mjs';

/** A PostgreSQL of one test file. */
export class TestPostgres {
  private server: PostgresServer | undefined;
  private openPool: Pool | undefined;

  async start(): Promise<void> {
    this.server = await startPostgresServer();
    this.openPool = new Pool({ connectionString: this.server.url });
    this.openPool.on('error', () => undefined);
  }

  async stop(): Promise<void> {
    await this.openPool?.end();
    await this.server?.stop();
  }

  get pool(): Pool {
    if (!this.openPool) throw new Error('PostgreSQL does not run yet.');
    return this.openPool;
  }

  get running(): PostgresServer {
    if (!this.server) throw new Error('PostgreSQL does not run yet.');
    return this.server;
  }

  /** Creates tables of their own for one test. @returns the name of the first one */
  async createTables(): Promise<string> {
    const table = `test_${randomUUID().slice(0, 8)}`;
    await this.pool.query(createSessionTables(table));
    return table;
  }

  /** How many rows a table has. @param name - such as `attributes` */
  async count(table: string, name: keyof ReturnType<typeof sessionTables> = 'sessions') {
    const { rows } = await this.pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${sessionTables(table)[name]}`,
    );
    return rows[0]?.count;
  }
}

/** Starts a PostgreSQL before the tests of this file and stops it after them. */
export function useTestPostgres(): TestPostgres {
  const postgres = new TestPostgres();
  beforeAll(() => postgres.start());
  afterAll(() => postgres.stop());
  return postgres;
}
