import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startSpring } from './spring.mjs';

const MAIN = fileURLToPath(new URL('../server/main.mjs', import.meta.url));

/**
 * A contestant that runs.
 *
 * @typedef {object} Server
 * @property {string} origin - `http://127.0.0.1:<port>`
 * @property {() => Promise<number>} cpuUs - CPU time since its start, user and system
 * @property {() => Promise<number>} heapBytes - NaN for Spring
 * @property {() => void} pause - takes no CPU time until `resume`
 * @property {() => void} resume
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a contestant and waits until it listens.
 *
 * @param {import('../contestants.mjs').ContestantSpec} contestant
 * @param {string} redisUrl
 * @param {readonly string[]} [nodeArgs]
 * @returns {Promise<Server>}
 */
export async function startServer(contestant, redisUrl, nodeArgs = []) {
  if (contestant.kind === 'spring') return startSpring(contestant, redisUrl);
  const child = fork(MAIN, [JSON.stringify({ ...contestant, redisUrl })], {
    execArgv: [...nodeArgs],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const [{ port }] = await messageOf(child, contestant.label);
  const ask = async () => {
    child.send('use');
    const [use] = await messageOf(child, contestant.label);
    return use;
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    cpuUs: async () => (await ask()).cpuUs,
    heapBytes: async () => (await ask()).heapBytes,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    stop: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGCONT');
      child.disconnect();
      await exited;
    },
  };
}

async function messageOf(child, label) {
  const settled = new AbortController();
  const { signal } = settled;
  const stopped = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`Cannot go on: ${label} ended with exit code ${code}.`);
  });
  try {
    return await Promise.race([once(child, 'message', { signal }), stopped]);
  } finally {
    stopped.catch(() => undefined);
    settled.abort();
  }
}
