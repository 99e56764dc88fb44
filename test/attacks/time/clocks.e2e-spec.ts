import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestClock } from 'nestjs-redis-session/testing';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

const TEN_MINUTES = 600;
const IDLE_SECONDS = 1800;

describe.each(PLATFORMS)('Replicas whose clocks are ten minutes apart, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  let slow: { url: string; clock: TestClock };
  let fast: { url: string; clock: TestClock };
  let kim: Visitor;

  const startReplica = async (clock: TestClock, absoluteTimeoutSeconds: number) => {
    const { url } = await start({ absoluteTimeoutSeconds, clock: clock.now }, LOGIN_PARTS);
    return { url, clock };
  };
  const startBoth = async (absoluteTimeoutSeconds: number) => {
    slow = await startReplica(new TestClock(), absoluteTimeoutSeconds);
    fast = await startReplica(new TestClock(), absoluteTimeoutSeconds);
    fast.clock.nowMs = slow.clock.nowMs + TEN_MINUTES * 1000;
    kim = new Visitor(slow.url);
    await kim.post('/login', KIM);
  };
  const passSeconds = (seconds: number) => {
    slow.clock.advanceSeconds(seconds);
    fast.clock.advanceSeconds(seconds);
  };
  const statusAt = async ({ url }: { url: string }, who = kim) => {
    who.url = url;
    return (await who.get('/members')).status;
  };

  beforeEach(() => startBoth(8 * 3600));

  it('log nobody out who comes more often than the idle time, less the difference', async () => {
    for (let turn = 0; turn < 3; turn++) {
      passSeconds(IDLE_SECONDS - TEN_MINUTES - 1);
      expect(await statusAt(fast)).toBe(200);
      passSeconds(IDLE_SECONDS - TEN_MINUTES - 1);
      expect(await statusAt(slow)).toBe(200);
    }
  });

  it('let nobody in for longer than the idle time and the difference', async () => {
    expect(await statusAt(fast)).toBe(200);
    passSeconds(IDLE_SECONDS + TEN_MINUTES + 1);
    expect(await statusAt(slow)).toBe(401);
  });

  it('do not bring back what has ended by one of the clocks', async () => {
    passSeconds(IDLE_SECONDS - TEN_MINUTES);
    expect(await statusAt(fast)).toBe(401);
    expect(await statusAt(slow)).toBe(401);
  });

  it('do not bring back a session that one of them has logged out', async () => {
    const thief = await kim.twin();
    expect(await statusAt(slow, thief)).toBe(200);
    kim.url = fast.url;
    expect((await kim.post('/invalidate')).status).toBe(200);
    expect(await statusAt(slow, thief)).toBe(401);
    expect(await statusAt(fast, thief)).toBe(401);
  });

  it('end a session after its absolute lifetime by the fast clock, whoever is asked then', async () => {
    await startBoth(3600);
    const requests = (3600 - TEN_MINUTES) / TEN_MINUTES - 1;
    for (let turn = 0; turn < requests; turn++) {
      passSeconds(TEN_MINUTES);
      expect(await statusAt(slow)).toBe(200);
    }
    passSeconds(TEN_MINUTES);
    expect(await statusAt(fast)).toBe(401);
    expect(await statusAt(slow)).toBe(401);
  });
});
