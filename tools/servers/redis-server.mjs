import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startBackgroundProcess } from './background-process.mjs';
import { waitUntilReady } from './wait-until-ready.mjs';

/**
 * A redis-server of our own on 127.0.0.1, without persistence.
 *
 * @typedef {object} RedisServer
 * @property {number} port
 * @property {string} url - `redis://127.0.0.1:<port>`
 * @property {number} pid
 * @property {() => Promise<void>} stop - ends it and removes its folder
 * @property {(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => Promise<void>} kill
 */

/**
 * Starts a redis-server, or the program that `REDIS_SERVER` names, and waits until it answers PING.
 *
 * @param {{ args?: readonly string[], configFile?: string, port?: number }} [options] - without `port` on a free one
 * @returns {Promise<RedisServer>}
 */
export async function startRedisServer({ args = [], configFile, port } = {}) {
  const usedPort = port ?? (await getPort({ host: '127.0.0.1' }));
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const server = startBackgroundProcess(process.env.REDIS_SERVER ?? 'redis-server', [
    ...(configFile ? [configFile] : []),
    ...['--port', String(usedPort), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'],
    ...['--save', '', '--appendonly', 'no', ...args],
  ]);
  await waitUntilReady('redis-server', server, () => answersPing(usedPort));
  return {
    port: usedPort,
    url: `redis://127.0.0.1:${usedPort}`,
    pid: server.pid,
    kill: server.kill,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @returns {Promise<boolean>} whether a Redis on that port of 127.0.0.1 answers PING with PONG */
function answersPing(/** @type {number} */ port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(1_000, () => socket.destroy(new Error('timeout')));
    socket.once('error', reject);
    socket.once('data', (reply) => {
      socket.destroy();
      resolve(reply.toString().startsWith('+PONG'));
    });
  });
}
