import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  nearCache,
  OnSessionEvent,
  type RedisSessionModuleOptions,
  type SessionEvent,
  SessionRegistry,
} from 'nestjs-redis-session';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { VisitController } from '../../support/faults/visit-controller.js';
import { Visitor } from '../../support/http/visitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { eventually } from '../../support/waiting/eventually.js';

@Injectable()
class EventWatcher {
  static seen: SessionEvent[] = [];

  @OnSessionEvent('created', 'deleted', 'expired')
  note(event: SessionEvent): void {
    EventWatcher.seen.push(event);
  }
}

const INDEXED = { repository: 'indexed', indexed: { maximumSessions: 2 } } as const;
const CONFIGURATIONS: readonly [string, RedisSessionModuleOptions][] = [
  ['the default repository', {}],
  ['the near cache', { features: [nearCache({ maxSessions: 100 })] }],
  ['the indexed repository', INDEXED],
];

let redis: Awaited<ReturnType<typeof startRedis>>;
let control: Redis;
let replica: StartedApp | undefined;
const log = new LoggedLines();

beforeEach(async () => {
  EventWatcher.seen = [];
  redis = await startRedis();
  control = new Redis(redis.url);
});

afterEach(async () => {
  try {
    await replica?.close();
  } finally {
    replica = undefined;
    control.disconnect();
    await redis.stop();
  }
});

describe.each(PLATFORMS)('after FLUSHALL, on %s', (platform) => {
  const start = async (
    options: RedisSessionModuleOptions,
    providers: (typeof EventWatcher)[] = [],
  ) => {
    const started = await startApp(platform, {
      controllers: [VisitController],
      log,
      options: { redis: redis.url, ...options },
      providers,
    });
    replica = started;
    log.clear();
    const login = async () => {
      const visitor = new Visitor(started.url);
      expect((await visitor.post('/login')).status).toBe(201);
      expect((await visitor.post('/count')).status).toBe(201);
      expect((await visitor.get('/me')).status).toBe(200);
      return visitor;
    };
    return { app: started.app, login };
  };

  it.each(CONFIGURATIONS)('%s knows no session, and takes logins at once', async (_, options) => {
    const { login } = await start(options);
    const kim = await login();
    const thief = await kim.twin();
    await control.flushall();
    await eventually(async () => (await kim.get('/me')).status === 401);
    expect((await kim.post('/logout')).status).toBe(201);
    expect((await kim.post('/count')).status).toBe(201);
    expect((await kim.get('/count')).body).toEqual({ count: 1 });
    expect((await kim.post('/login')).status).toBe(201);
    expect((await kim.get('/me')).status).toBe(200);
    expect((await thief.get('/me')).status).toBe(401);
    expect((await thief.get('/count')).body).toEqual({ count: 0 });
    expect(log.text).toBe('');
  });

  it('the indexed repository finds, limits and ends the sessions of new logins', async () => {
    const { app, login } = await start(INDEXED);
    await login();
    await login();
    await control.flushall();
    const registry = app.get(SessionRegistry);
    expect((await registry.list('kim')).total).toBe(0);
    const oldest = await login();
    const others = [await login(), await login()];
    expect((await oldest.get('/me')).status).toBe(401);
    expect((await registry.list('kim')).total).toBe(2);
    expect(await registry.expireAll('kim')).toBe(2);
    for (const other of others) expect((await other.get('/me')).status).toBe(401);
  });

  it.each(['once', 'broadcast'] as const)(
    "events of delivery '%s' go on, and what was lost is no event",
    async (eventDelivery) => {
      const { login } = await start({ ...INDEXED, indexed: { eventDelivery } }, [EventWatcher]);
      await login();
      await eventually(() => Promise.resolve(EventWatcher.seen.length === 1));
      await control.flushall();
      const kim = await login();
      await eventually(() => Promise.resolve(EventWatcher.seen.length === 2));
      await kim.post('/logout');
      await eventually(() => Promise.resolve(EventWatcher.seen.length === 3));
      expect(EventWatcher.seen.map(({ type }) => type)).toEqual(['created', 'created', 'deleted']);
    },
  );
});
