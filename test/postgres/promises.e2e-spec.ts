import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import request, { type Test } from 'supertest';
import { PLATFORMS, startApp, type StartedApp } from '../support/apps/start-app.js';
import { describeCommits } from '../support/faults/commits.js';
import { OutageController } from '../support/faults/outage-controller.js';
import { sessionCookieLinesOf, sessionCookieOf } from '../support/http/session-cookie.js';
import { CountingPool } from '../support/postgres/counting-pool.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();

const table = `sessions_${randomUUID().replaceAll('-', '')}`;

describeCommits({
  name: 'PostgreSQL',
  port: () => postgres.running.port,
  storeAt: (port) => {
    const pool = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' };
    return postgresSessions({ pool, table, createTables: true });
  },
  storedText: async (sessionId) => {
    const { rows } = await postgres.pool.query<{ text: string }>(
      `SELECT convert_from(attribute_bytes, 'UTF8') AS text
         FROM ${table} JOIN ${table}_attributes ON session_primary_id = primary_id
        WHERE session_id = $1 AND attribute_name = 'value'`,
      [sessionId],
    );
    return rows[0]?.text;
  },
});

describe.each(PLATFORMS)('statements of a request on %s', (platform) => {
  let pool: CountingPool;
  let app: StartedApp;
  let table: string;
  const get = (path: string): Test => request(app.url).get(path);
  const post = (path: string): Test => request(app.url).post(path);

  async function costOf(exchange: Test): Promise<number> {
    pool.statements.length = 0;
    expect((await exchange).status).toBeLessThan(400);
    return pool.statements.length;
  }

  beforeAll(async () => {
    table = await postgres.createTables();
    pool = new CountingPool(postgres.running.url);
    app = await startApp(platform, {
      options: { store: postgresSessions({ pool, table }) },
      controllers: [OutageController],
    });
  });

  afterAll(async () => {
    await app.close();
    await pool.end();
  });

  beforeEach(async () => {
    await postgres.pool.query(`DELETE FROM ${table}`);
  });

  it('is none for an anonymous visitor, who gets no session and no cookie', async () => {
    expect(await costOf(get('/read'))).toBe(0);
    expect(await costOf(get('/read').set('Cookie', 'SESSION=abc'))).toBe(0);
    expect(sessionCookieLinesOf(await get('/read'))).toEqual([]);
    expect(await postgres.count(table)).toBe(0);
  });

  it('is 1 to read, 2 to change, 2 to log in, and 2 to log out', async () => {
    const cookie = sessionCookieOf(await post('/json'));
    expect(await costOf(get('/read').set('Cookie', cookie))).toBe(1);
    expect(await costOf(post('/json').set('Cookie', cookie))).toBe(2);
    const login = post('/login').set('Cookie', cookie);
    expect(await costOf(login)).toBe(2);
    const loggedIn = sessionCookieOf(await login);
    expect(await costOf(post('/logout').set('Cookie', loggedIn))).toBe(2);
    expect([await postgres.count(table), await postgres.count(table, 'attributes')]).toEqual([
      0, 0,
    ]);
  });

  it('is 1 to begin a session with an attribute', async () => {
    expect(await costOf(post('/json'))).toBe(1);
  });

  it('is 6 for an update: a read, and a transaction that locks, compares and writes', async () => {
    const cookie = sessionCookieOf(await post('/json'));
    expect(await costOf(post('/awaited-update').set('Cookie', cookie))).toBe(6);
  });
});
