import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { Pool } from 'pg';
import { type PostgresServer, startPostgresServer } from '../../tools/servers/postgres-server.mjs';
import { startApp, type StartedApp } from '../support/apps/start-app.js';
import { VisitController } from '../support/faults/visit-controller.js';
import { Visitor } from '../support/http/visitor.js';
import { eventually } from '../support/waiting/eventually.js';

/** A user who counts on both replicas until told to stop, and notes what was answered. */
class CountingUser {
  readonly answers: number[] = [];
  private readonly visitor: Visitor;

  constructor(private readonly urls: readonly string[]) {
    this.visitor = new Visitor(urls[0] ?? '');
  }

  async logIn(): Promise<void> {
    expect((await this.visitor.post('/login')).status).toBe(201);
  }

  async countUntil(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.visitor.url = this.urls[this.answers.length % 2] ?? '';
      this.answers.push((await this.visitor.post('/count')).status);
    }
  }

  times(status: number): number {
    return this.answers.filter((each) => each === status).length;
  }

  /** Each count that was answered counts once, and one that was answered with 503 counts once at most. */
  async check(): Promise<void> {
    expect(this.times(201) + this.times(503)).toBe(this.answers.length);
    const { count } = (await this.visitor.get('/count')).body as { count: number };
    expect(count).toBeGreaterThanOrEqual(this.times(201));
    expect(count).toBeLessThanOrEqual(this.answers.length);
  }
}

describe.each([1, 10])('PostgreSQL under the load of two replicas with %d connections', (max) => {
  let server: PostgresServer;
  let admin: Pool;
  let replicas: StartedApp[];

  beforeEach(async () => {
    server = await startPostgresServer();
    admin = new Pool({ connectionString: server.url });
    admin.on('error', () => undefined);
    replicas = [];
    for (let i = 0; i < 2; i++) {
      const pool = { connectionString: server.url, max };
      const store = postgresSessions({ pool, createTables: true });
      const options = { store, repository: 'indexed', commandTimeoutMs: 5000 } as const;
      replicas.push(await startApp('express', { controllers: [VisitController], options }));
    }
  });

  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await admin.end();
    await server.stop();
  });

  const faults = {
    'that restarts': async (failed: () => Promise<void>) => {
      await server.end();
      await failed();
      await server.start();
    },
    'all of whose connections the server ends, again and again': async (
      failed: () => Promise<void>,
    ) => {
      const ended = failed().then(() => true);
      const notYet = Promise.resolve(false);
      while (!(await Promise.race([ended, notYet])))
        await admin.query(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND client_port IS NOT NULL',
        );
    },
  };

  it.each(Object.entries(faults))('%s, loses no count that was answered', async (_, fail) => {
    const users = Array.from({ length: 8 }, () => new CountingUser(replicas.map(({ url }) => url)));
    for (const user of users) await user.logIn();
    let isOver = false;
    const load = users.map((user) => user.countUntil(() => isOver));
    const total = (status: number) => users.reduce((sum, user) => sum + user.times(status), 0);
    const more = (status: number, count: number) => {
      const wanted = total(status) + count;
      return eventually(() => Promise.resolve(total(status) >= wanted));
    };
    try {
      await more(201, 40);
      await fail(() => more(503, 10));
      await more(201, 40);
    } finally {
      isOver = true;
      await Promise.all(load);
    }
    for (const user of users) await user.check();
  });
});
