import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OnSessionEvent, type SessionEvent, SessionRegistry } from 'nestjs-redis-session';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { Pool } from 'pg';
import { startApp, type StartedApp } from '../support/apps/start-app.js';
import { VisitController } from '../support/faults/visit-controller.js';
import { Visitor } from '../support/http/visitor.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';
import { eventually } from '../support/waiting/eventually.js';

const postgres = useTestPostgres();

/** Tells of which application's sessions something was heard. */
class Listener {
  static readonly heard: string[] = [];
  constructor(private readonly application: string) {}

  @OnSessionEvent()
  note({ type }: SessionEvent): void {
    Listener.heard.push(`${this.application} ${type}`);
  }
}

describe.each(['once', 'broadcast'] as const)(
  'two applications on one pool of one connection, with tables of their own (%s)',
  (eventDelivery) => {
    let pool: Pool;
    let apps: StartedApp[];
    let visitors: Visitor[];

    beforeEach(async () => {
      Listener.heard.length = 0;
      pool = new Pool({ connectionString: postgres.running.url, max: 1 });
      pool.on('error', () => undefined);
      apps = [];
      for (const name of ['shop', 'forum']) {
        const table = await postgres.createTables();
        apps.push(
          await startApp('express', {
            controllers: [VisitController],
            providers: [{ provide: Listener, useValue: new Listener(name) }],
            options: {
              commandTimeoutMs: 10_000,
              indexed: { eventDelivery, maximumSessions: 1 },
              repository: 'indexed',
              store: postgresSessions({ pool, table }),
            },
          }),
        );
      }
      visitors = apps.map(({ url }) => new Visitor(url));
    });

    afterEach(async () => {
      await Promise.all(apps.map((app) => app.close()));
      await pool.end();
    });

    const statuses = async () =>
      Promise.all(visitors.map(async (visitor) => (await visitor.get('/me')).status));

    it('know nothing of the sessions, limits and events of each other', async () => {
      await Promise.all(visitors.map((visitor) => visitor.post('/login')));
      expect(await statuses()).toEqual([200, 200]);

      const [shopper] = visitors;
      const stranger = await shopper!.twin();
      stranger.url = apps[1]!.url;
      expect((await stranger.get('/me')).status).toBe(401);

      const registry = apps[0]!.app.get(SessionRegistry);
      expect((await registry.list('kim')).total).toBe(1);
      expect(await registry.expireAll('kim')).toBe(1);
      expect(await statuses()).toEqual([401, 200]);
      expect((await visitors[1]!.post('/logout')).status).toBe(201);
      await eventually(() => Promise.resolve(Listener.heard.length >= 4));
      const own = ['forum created', 'forum deleted', 'shop created', 'shop deleted'];
      expect(Listener.heard.toSorted()).toEqual(own);
    });

    it('serve 50 users at once, who share the one connection', async () => {
      visitors = Array.from({ length: 50 }, (_, i) => new Visitor(apps[i % 2]!.url));
      await Promise.all(visitors.map((visitor) => visitor.post('/begin')));
      const counted = await Promise.all(visitors.map((visitor) => visitor.post('/count')));
      expect(new Set(counted.map(({ status }) => status))).toEqual(new Set([201]));
      const found = await Promise.all(visitors.map((visitor) => visitor.get('/count')));
      expect(found.map(({ body }) => body)).toEqual(visitors.map(() => ({ count: 1 })));
    });
  },
);
