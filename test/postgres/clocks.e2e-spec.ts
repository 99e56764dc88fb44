import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { Visitor } from '../../tools/demo/visitor.mjs';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { type SessionStore } from '../../libs/redis-session/src/session/session-store.js';
import { type Pod, startPod } from '../../tools/servers/pod.mjs';
import { PLATFORMS } from '../support/apps/start-app.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';
import { eventually } from '../support/waiting/eventually.js';

const HOUR_MS = 3_600_000;
const KIM = { username: 'kim', password: 'kim' };
const ADMIN = { username: 'admin', password: 'admin' };
const START_MS = 60_000;

const postgres = useTestPostgres();

describe.each(PLATFORMS)(
  'replicas whose clocks are an hour before and after that of PostgreSQL, on %s',
  (platform) => {
    let slow: Pod;
    let fast: Pod;

    const start = async (name: string, aheadMs: number) =>
      startPod({
        ...{ name, platform, port: await getPort(), store: 'postgres' },
        databaseUrl: postgres.running.url,
        variables: {
          NODE_OPTIONS: `--import=data:text/javascript,const{now}=Date;Date.now=()=>now()+${aheadMs}`,
        },
      });
    const login = async (pod: Pod, user = KIM) => {
      const visitor = new Visitor(pod.url);
      expect(await visitor.postJson('/login', user)).toMatchObject({ status: 200 });
      return visitor;
    };
    const statusAt = async (pod: Pod, visitor: Visitor) => {
      visitor.url = pod.url;
      return (await visitor.getJson('/api/me')).status;
    };

    beforeEach(async () => {
      slow = await start('slow', -HOUR_MS);
      fast = await start('fast', HOUR_MS);
    }, START_MS);

    afterEach(() => Promise.all([slow.stop(), fast.stop()]));

    it('know the same sessions, wherever these began', async () => {
      for (const pod of [slow, fast]) {
        const visitor = await login(pod);
        const statuses: number[] = [];
        for (const each of [fast, slow, fast, slow]) statuses.push(await statusAt(each, visitor));
        expect(statuses).toEqual([200, 200, 200, 200]);
      }
    });

    it('end the sessions whose time is over by the clock of PostgreSQL, and no others', async () => {
      const [kim, admin] = [await login(slow), await login(slow, ADMIN)];
      await slow.kill('SIGKILL');
      await postgres.pool.query(
        `UPDATE spring_session SET expiry_time = extract(epoch FROM now()) * 1000 - 60000
         WHERE principal_name = 'admin'`,
      );
      await eventually(async () => {
        const users = await postgres.pool.query<{ name: string }>(
          `SELECT principal_name AS name FROM spring_session WHERE principal_name = 'admin'`,
        );
        return users.rows.length === 0;
      });
      expect(await statusAt(fast, admin)).toBe(401);
      expect(await statusAt(fast, kim)).toBe(200);
    });
  },
);

describe('a replica', () => {
  const { now } = Date;
  const elapsed = performance.now.bind(performance);
  let store: SessionStore;

  const open = async () => {
    store = postgresSessions({ pool: postgres.pool, createTables: true });
    const options = { ...DEFAULT_REPOSITORY_OPTIONS, commandTimeoutMs: 2000, indexed: undefined };
    store.createRepository(options);
    await store.start?.();
  };
  const errorMs = () => Math.abs((store.now?.() ?? 0) - now());

  afterEach(async () => {
    Date.now = now;
    performance.now = elapsed;
    await store.stop?.();
  });

  it('whose clock is set forward or back goes by that of PostgreSQL at once', async () => {
    await open();
    for (const aheadMs of [HOUR_MS, -HOUR_MS]) {
      Date.now = () => now() + aheadMs;
      expect(errorMs()).toBeLessThan(HOUR_MS / 2);
    }
  });

  it('whose machine was suspended asks PostgreSQL for the time, once', async () => {
    performance.now = () => elapsed() + HOUR_MS;
    await open();
    let asked = 0;
    const onAcquire = () => asked++;
    postgres.pool.on('acquire', onAcquire);
    try {
      performance.now = elapsed;
      expect([errorMs(), errorMs()].every((ms) => ms > HOUR_MS / 2)).toBe(true);
      await eventually(() => Promise.resolve(errorMs() < HOUR_MS / 2));
      expect(asked).toBe(1);
    } finally {
      postgres.pool.off('acquire', onAcquire);
    }
  });
});
