import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { Pool } from 'pg';
import { PLATFORMS, startApp, type StartedApp } from '../support/apps/start-app.js';
import { startTcpProxy, type TcpProxy } from '../support/faults/tcp-proxy.js';
import { VisitController } from '../support/faults/visit-controller.js';
import { Visitor } from '../support/http/visitor.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';
import { eventually } from '../support/waiting/eventually.js';

const postgres = useTestPostgres();

describe.each(PLATFORMS)('sessions in PostgreSQL on %s', (platform) => {
  let table: string;
  let proxy: TcpProxy;
  let pool: Pool;
  let app: StartedApp;
  let visitor: Visitor;

  beforeEach(async () => {
    table = await postgres.createTables();
    proxy = await startTcpProxy({ targetPort: postgres.running.port });
    pool = new Pool({
      ...{ host: '127.0.0.1', port: proxy.port, user: 'postgres', database: 'postgres' },
      application_name: table,
      max: 2,
    });
    app = await startApp(platform, {
      controllers: [VisitController],
      options: { commandTimeoutMs: 1000, store: postgresSessions({ pool, table }) },
    });
    visitor = new Visitor(app.url);
    expect((await visitor.post('/login')).status).toBe(201);
  });

  afterEach(async () => {
    await postgres.pool.query(`ALTER DATABASE postgres RESET default_transaction_read_only`);
    await app.close();
    await proxy.refuse();
    await pool.end();
  });

  const statusOf = async (path: string) => (await visitor.post(path)).status;
  const countOf = async () => (await visitor.get('/count')).body;
  const terminateAll = () =>
    postgres.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
      [table],
    );

  it('count each update once at most, when the server ends connections all the time', async () => {
    let endedCount = 0;
    let before = 0;
    for (let i = 0; i < 30; i++) {
      const [status, ended] = await Promise.all([statusOf('/count'), terminateAll()]);
      endedCount += ended.rowCount ?? 0;
      await eventually(async () => (await visitor.get('/count')).status === 200);
      const { count = 0 } = (await countOf()) as { count?: number };
      expect([
        [201, 1],
        [503, 0],
        [503, 1],
      ]).toContainEqual([status, count - before]);
      before = count;
    }
    expect(endedCount).toBeGreaterThan(0);
  });

  it('never count an update again that was stored, but not answered', async () => {
    let lost = 0;
    proxy.losesReplyTo = (command) => command.includes('COMMIT\0') && ++lost === 1;
    expect(await statusOf('/stubborn-count')).toBe(503);
    expect(await countOf()).toEqual({ count: 1 });
    expect(await statusOf('/stubborn-count')).toBe(201);
    expect(await countOf()).toEqual({ count: 2 });
  });

  it('answer 503 while no connection of the pool is free, and are back by themselves', async () => {
    const taken = await Promise.all([pool.connect(), pool.connect()]);
    const answers = await Promise.all(['/count', '/login', '/logout'].map(statusOf));
    expect(answers).toEqual([503, 503, 503]);
    for (const client of taken) client.release();
    expect((await visitor.get('/me')).status).toBe(200);
    expect(await statusOf('/count')).toBe(201);
    expect(await countOf()).toEqual({ count: 1 });
  });

  it('answer 503 to what a server refuses that only reads, and are back by themselves', async () => {
    await postgres.pool.query('ALTER DATABASE postgres SET default_transaction_read_only = on');
    await terminateAll();
    await eventually(async () => (await statusOf('/count')) === 503);
    expect([await statusOf('/login'), await statusOf('/logout')]).toEqual([503, 503]);
    await postgres.pool.query(
      'SET default_transaction_read_only = off; ALTER DATABASE postgres RESET default_transaction_read_only',
    );
    await terminateAll();
    await eventually(async () => (await visitor.get('/me')).status === 200);
    expect(await countOf()).toEqual({ count: 0 });
  });

  it.each([
    [4, 201, 1],
    [5, 503, 0],
  ])('after %d deadlocks in a row, answer %d and have counted %d', async (times, status, count) => {
    await postgres.pool.query(`
      CREATE SEQUENCE ${table}_deadlocks;
      CREATE FUNCTION ${table}_deadlock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('${table}_deadlocks') <= ${times} THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER deadlock BEFORE INSERT ON ${table}_attributes
        FOR EACH ROW EXECUTE FUNCTION ${table}_deadlock()`);
    expect(await statusOf('/count')).toBe(status);
    expect(await countOf()).toEqual({ count });
  });

  describe('with a pool of the module', () => {
    let own: StartedApp | undefined;
    let silent: Server | undefined;
    const unanswered: Socket[] = [];

    afterEach(async () => {
      silent?.close();
      for (const socket of unanswered.splice(0)) socket.destroy();
      await own?.close();
      own = silent = undefined;
    });

    /** From then on, whoever connects is accepted and not answered. */
    const startAndGoSilent = async () => {
      const address = { host: '127.0.0.1', port: proxy.port, user: 'postgres' };
      const store = postgresSessions({ pool: { ...address, max: 1 }, table });
      const options = { commandTimeoutMs: 1000, store };
      own = await startApp(platform, { controllers: [VisitController], options });
      const guest = new Visitor(own.url);
      await guest.post('/login');
      await proxy.refuse();
      silent = createServer((socket) => unanswered.push(socket));
      await once(silent.listen(proxy.port, '127.0.0.1'), 'listening');
      return { guest, server: silent };
    };

    it('join a connection that takes longer than their requests wait', async () => {
      const { guest, server } = await startAndGoSilent();
      for (let i = 0; i < 2; i++) expect((await guest.post('/count')).status).toBe(503);
      expect(unanswered.length).toBe(1);
      server.close();
      const target = connect(postgres.running.port, '127.0.0.1');
      unanswered[0]?.pipe(target).pipe(unanswered[0]);
      await eventually(async () => (await guest.get('/me')).status === 200);
    });

    it('are back by themselves after connections that were accepted and never answered', async () => {
      const { guest, server } = await startAndGoSilent();
      const answers = await Promise.all([1, 2, 3].map(() => guest.post('/count')));
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
      expect(unanswered.length).toBeGreaterThan(0);
      server.close();
      await proxy.accept();
      await eventually(async () => (await guest.get('/me')).status === 200);
    });
  });
});
