import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const scriptPath = (name) => fileURLToPath(new URL(`../wrk/${name}`, import.meta.url));

/**
 * What wrk saw.
 *
 * @typedef {object} LoadResult
 * @property {number} requests
 * @property {number} perSecond
 * @property {number} p50Us
 * @property {number} p99Us
 */

/**
 * Loads servers with requests for some seconds, all at the same time.
 *
 * @param {{ origins: readonly string[], connections: number, seconds: number, script: string, env: Record<string, string> }} load -
 *   the connections are shared out between the origins
 * @returns {Promise<LoadResult>} of all origins together; the latencies are the worst
 * @throws {Error} when a request failed: its figure would be of something else
 */
export async function load({ origins, connections, ...rest }) {
  const share = Math.max(1, Math.round(connections / origins.length));
  const results = await Promise.all(
    origins.map((origin) => loadOne({ origin, connections: share, ...rest })),
  );
  return results.reduce((a, b) => ({
    requests: a.requests + b.requests,
    perSecond: a.perSecond + b.perSecond,
    p50Us: Math.max(a.p50Us, b.p50Us),
    p99Us: Math.max(a.p99Us, b.p99Us),
  }));
}

async function loadOne({ origin, connections, seconds, script, env }) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', scriptPath(script), origin];
  const { stdout } = await run('wrk', args, {
    env: { ...process.env, ...env, REPORT: scriptPath('report.lua') },
    timeout: (seconds + 30) * 1000,
  });
  const line = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (!line) throw new Error(`Cannot read what wrk printed: ${stdout}`);
  const { requests, durationUs, refused, broken, p50Us, p99Us } = JSON.parse(line);
  if (requests === 0 || refused > 0 || broken > 0) {
    throw new Error(
      `of ${requests} requests to a replica ${refused} were refused and ${broken} broke off.`,
    );
  }
  return { requests, perSecond: (requests * 1e6) / durationUs, p50Us, p99Us };
}
