import { setTimeout as delay } from 'node:timers/promises';
import { startRedisServer } from '../../servers/redis-server.mjs';
import { EVERYTHING } from '../model-user.mjs';

const IDLE_SECONDS = 3;
/** Sessions in use outlive their idle time three times, and users come back from their breaks. */
const OBSERVED_MS = 10_000;

/**
 * One Redis with sessions that end after three seconds without a request. Some users only read, others take breaks.
 *
 * @returns {Promise<import('./stage.mjs').Stage>}
 */
export async function startShortSessions() {
  const redis = await startRedisServer();
  return {
    idleSeconds: IDLE_SECONDS,
    variables: { REDIS_URL: redis.url },
    faults: { 'users take breaks': { inflict: () => delay(OBSERVED_MS), serves: EVERYTHING } },
    stop: () => redis.stop(),
  };
}
