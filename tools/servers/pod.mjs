import { fileURLToPath } from 'node:url';
import { startBackgroundProcess } from './background-process.mjs';
import { waitUntilReady } from './wait-until-ready.mjs';

const MAIN = fileURLToPath(new URL('../../apps/demo/dist/main.js', import.meta.url));

/**
 * One replica of the built demo, reachable at 127.0.0.1.
 *
 * @typedef {object} Pod
 * @property {string} name
 * @property {number} port
 * @property {string} url - `http://127.0.0.1:<port>`
 * @property {() => string} output - the end of its log
 * @property {(signal: NodeJS.Signals) => Promise<void>} kill
 * @property {Promise<number | undefined>} exited - the exit code; undefined when a signal ended it
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a replica of the demo and waits until its health check is good.
 *
 * @param {{ name: string, port: number, redisUrl?: string, databaseUrl?: string, mongodbUrl?: string, platform?: string, store?: string, drainSeconds?: number,
 *   deadlineSeconds?: number, variables?: Record<string, string> }} options - without `drainSeconds` it stops at once; `variables` are
 *   further environment variables
 * @returns {Promise<Pod>}
 */
export async function startPod({
  name,
  port,
  redisUrl = '',
  databaseUrl = '',
  mongodbUrl = '',
  platform = 'express',
  store = 'redis',
  drainSeconds = 0,
  deadlineSeconds = 25,
  variables = {},
}) {
  const env = {
    NO_COLOR: '1',
    POD_NAME: name,
    PORT: `${port}`,
    REDIS_URL: redisUrl,
    DATABASE_URL: databaseUrl,
    MONGODB_URL: mongodbUrl,
    PLATFORM: platform,
    STORE: store,
    DRAIN_SECONDS: `${drainSeconds}`,
    DEADLINE_SECONDS: `${deadlineSeconds}`,
    ...variables,
  };
  const url = `http://127.0.0.1:${port}`;
  const server = startBackgroundProcess(process.execPath, [MAIN], {
    env,
    stopWithinMs: (drainSeconds + 5) * 1_000,
  });
  await waitUntilReady(name, server, async () => {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.text();
    return response.ok;
  });
  const { output, kill, exited, stop } = server;
  return { name, port, url, output, kill, exited, stop };
}
