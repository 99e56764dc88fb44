import { beforeEach } from '@jest/globals';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { describeUnansweredLogins } from '../support/faults/unanswered-logins.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();
let table: string;

beforeEach(async () => {
  table = await postgres.createTables();
});

/** Connections in the middle of a login. */
const loggingIn = new WeakSet<object>();

describeUnansweredLogins({
  name: 'PostgreSQL',
  port: () => postgres.running.port,
  storeAt: (port) =>
    postgresSessions({ pool: `postgres://postgres@127.0.0.1:${port}/postgres`, table }),
  storesLogin: (command, connection) => {
    if (command.includes('SECURITY_CONTEXT')) loggingIn.add(connection);
    return loggingIn.has(connection) && command.includes('COMMIT\0');
  },
});
