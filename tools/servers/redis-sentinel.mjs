import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { eventually } from './eventually.mjs';
import { startRedisServer } from './redis-server.mjs';

const SENTINELS = 3;
const REPLICAS = 2;

/**
 * One master with two replicas, watched by three sentinels, on 127.0.0.1.
 *
 * @typedef {object} RedisSentinel
 * @property {RedisServer} master - the first one
 * @property {readonly RedisServer[]} replicas - the first ones
 * @property {readonly { host: string, port: number }[]} sentinels - as ioredis takes them: `new Redis({ sentinels, name })`
 * @property {string} name - the name under which the sentinels know the master
 * @property {() => Promise<void>} stop
 *
 * @typedef {import('./redis-server.mjs').RedisServer} RedisServer
 */

/**
 * Starts master, replicas and sentinels and waits until every sentinel knows all of them (about 2 s).
 *
 * @returns {Promise<RedisSentinel>}
 */
export async function startRedisSentinel() {
  const folder = await mkdtemp(join(tmpdir(), 'sentinel-'));
  /** @type {RedisServer[]} */
  const servers = [];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  /** @param {string[]} args @param {string} [configFile] */
  const start = async (args, configFile) => {
    const server = await startRedisServer({ args, ...(configFile && { configFile }) });
    servers.push(server);
    return server;
  };
  try {
    const master = await start(['--repl-diskless-sync-delay', '0']);
    /** @type {RedisServer[]} */
    const replicas = [];
    for (let n = 0; n < REPLICAS; n++)
      replicas.push(await start(['--replicaof', `127.0.0.1 ${master.port}`]));
    /** @type {{ host: string, port: number }[]} */
    const sentinels = [];
    for (let n = 0; n < SENTINELS; n++) {
      const { port } = await start(['--sentinel'], await writeConfig(folder, n, master.port));
      sentinels.push({ host: '127.0.0.1', port });
    }
    await Promise.all(sentinels.map(({ port }) => eventually(() => knowsAll(port))));
    return { master, replicas, sentinels, name: 'sessions', stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * A sentinel rewrites its configuration, so each needs a file of its own.
 *
 * @param {string} folder @param {number} number @param {number} masterPort
 */
async function writeConfig(folder, number, masterPort) {
  const file = join(folder, `sentinel-${number}.conf`);
  const lines = [
    `sentinel monitor sessions 127.0.0.1 ${masterPort} 2`,
    'sentinel down-after-milliseconds sessions 1000',
    'sentinel failover-timeout sessions 5000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

async function knowsAll(/** @type {number} */ port) {
  const { stdout } = await execa('redis-cli', ['-p', `${port}`, 'sentinel', 'master', 'sessions']);
  const fields = stdout.split('\n');
  const valueOf = (/** @type {string} */ name) => Number(fields[fields.indexOf(name) + 1]);
  return valueOf('num-slaves') === REPLICAS && valueOf('num-other-sentinels') === SENTINELS - 1;
}
