import { beforeAll } from '@jest/globals';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { describeRaces } from '../support/faults/races.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();
const idOf = (cookie: string) => cookie.slice('SESSION='.length);
let table: string;

beforeAll(async () => {
  table = await postgres.createTables();
});

describeRaces({
  options: () => ({ store: postgresSessions({ pool: postgres.running.url, table }) }),
  stored: async () => {
    const { rows } = await postgres.pool.query<{ id: string }>(
      `SELECT session_id AS id FROM ${table} WHERE expiry_time > 1
        UNION SELECT 'attributes of no session' FROM ${table}_attributes
         WHERE session_primary_id NOT IN (SELECT primary_id FROM ${table})`,
    );
    return rows.map(({ id }) => id);
  },
  nameOf: idOf,
  expire: async (cookie) => {
    await postgres.pool.query(`UPDATE ${table} SET expiry_time = 1 WHERE session_id = $1`, [
      idOf(cookie),
    ]);
  },
  clear: async () => {
    await postgres.pool.query(`DELETE FROM ${table}`);
  },
});
