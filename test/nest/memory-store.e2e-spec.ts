import { afterEach, describe, expect, it } from '@jest/globals';
import { OnSessionEvent, SessionRegistry, SessionRepository } from 'nestjs-redis-session';
import { type MapSession } from '../../libs/redis-session/src/session/map-session.js';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { useApps } from '../support/apps/start-app.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const redis = useTestRedis();
const before = process.env['NODE_ENV'];

describe('store: "memory"', () => {
  const start = useApps('express', redis);

  afterEach(() => {
    process.env['NODE_ENV'] = before;
  });

  it.each([
    ['production', 1],
    ['development', 0],
    ['test', 0],
  ])('logs an error in %s: %i', async (environment, count) => {
    process.env['NODE_ENV'] = environment;
    const log = new LoggedLines();
    await start({ store: 'memory', logger: log }, { log });
    const warnings = log.lines.filter((line) =>
      line.includes(
        'Sessions are kept in the memory of this process although NODE_ENV is "production": every restart logs everybody out, no other replica knows them, and they take memory without limit. Set store to "redis".',
      ),
    );
    expect(warnings).toHaveLength(count);
  });

  it('finds sessions by their user with repository "indexed", and does not start with @OnSessionEvent without it', async () => {
    const log = new LoggedLines();
    const { app } = await start({ store: 'memory', repository: 'indexed', logger: log }, { log });
    const registry = app.get(SessionRegistry);
    const session = app.get<SessionRepository<MapSession>>(SessionRepository).createSession();
    session.setAttribute('SECURITY_CONTEXT', { authentication: { name: 'kim' } });
    await session.save();
    const { sessions } = await registry.list('kim');
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual([session.id]);
    expect(await registry.expireAll('kim')).toBe(1);
    class Listener {
      @OnSessionEvent()
      note(): void {
        // Nobody would call it.
      }
    }
    const deaf = start({ store: 'memory', logger: log }, { log, providers: [Listener] });
    await expect(deaf).rejects.toThrow('indexed.eventDelivery must be "once" or "broadcast"');
  });

  it('rejects, and does not throw, when the name of a user is missing', async () => {
    const { app } = await start({ store: 'memory', repository: 'indexed' });
    const registry = app.get(SessionRegistry);
    const { name } = {} as { name: string };
    const calls = [
      () => registry.list(name),
      () => registry.expireByRef(name, 'ref'),
      () => registry.expireOthers(name, 'id'),
      () => registry.expireAll(name),
    ];
    for (const call of calls) {
      const called = call();
      await expect(called).rejects.toThrow('the name must be a string, got undefined.');
    }
  });

  it('is not warned of when it is Redis', async () => {
    process.env['NODE_ENV'] = 'production';
    const log = new LoggedLines();
    await start({ logger: log }, { log });
    expect(log.text).not.toContain('Sessions are kept in the memory');
  });
});
