import { afterAll, beforeAll, beforeEach, describe, it } from '@jest/globals';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { type PostgresServer, startPostgresServer } from '../../tools/servers/postgres-server.mjs';
import { startApp } from '../support/apps/start-app.js';
import { OutageController } from '../support/faults/outage-controller.js';
import { describeOutages } from '../support/faults/outages.js';
import { send } from '../support/http/http-client.js';
import { Barrier } from '../support/waiting/barrier.js';
import { eventually } from '../support/waiting/eventually.js';

describeOutages({
  name: 'PostgreSQL',
  startServer: startPostgresServer,
  storeAt: (port) => {
    const pool = `postgres://postgres@127.0.0.1:${port}/postgres`;
    return postgresSessions({ pool, createTables: true });
  },
  told: ['A connection to PostgreSQL is lost', 'The connection to PostgreSQL is back.'],
});

describe('when PostgreSQL restarts while nobody asks', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgresServer();
  });

  afterAll(() => server.stop());

  beforeEach(() => {
    OutageController.barrier = new Barrier();
  });

  it.each([true, false])('the process stays up (indexed: %s)', async (isIndexed) => {
    const store = postgresSessions({ pool: server.url, createTables: true });
    const repository = isIndexed ? 'indexed' : 'default';
    const replica = await startApp('express', {
      controllers: [OutageController],
      options: { store, repository, commandTimeoutMs: 2000 },
    });
    const { cookie } = await send(replica.port, 'POST /login');
    await server.end();
    await server.start();
    await eventually(async () => (await send(replica.port, 'GET /me', { cookie })).status === 200);
    await replica.close();
  });
});
