import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import getPort, { portNumbers } from 'get-port';
import { eventually } from './eventually.mjs';
import { startRedisServer } from './redis-server.mjs';

const NODES = 6;

/**
 * Three masters with one replica each, on 127.0.0.1.
 *
 * @typedef {object} RedisCluster
 * @property {readonly RedisServer[]} nodes
 * @property {readonly { host: string, port: number }[]} addresses - as ioredis takes them: `new Cluster(addresses)`
 * @property {(port: number) => Promise<RedisServer>} restart - starts the node of that port again after it was killed
 * @property {() => Promise<void>} stop
 *
 * @typedef {import('./redis-server.mjs').RedisServer} RedisServer
 */

/**
 * Starts a Redis Cluster and waits until all its nodes call its state "ok" (about 2 s).
 *
 * @returns {Promise<RedisCluster>}
 */
export async function startRedisCluster() {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-'));
  /** @type {RedisServer[]} */
  const nodes = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const start = async (/** @type {number} */ port) => {
    const node = await startNode(port, join(folder, `nodes-${port}.conf`));
    nodes.push(node);
    return node;
  };
  try {
    for (let started = 0; started < NODES; started++) await start(await freePort());
    const addresses = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    await execa('redis-cli', [
      ...['--cluster', 'create', ...addresses.map(({ host, port }) => `${host}:${port}`)],
      ...['--cluster-replicas', '1', '--cluster-yes'],
    ]);
    await Promise.all(nodes.map((node) => eventually(() => isComplete(node))));
    return { nodes: [...nodes], addresses, restart: start, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The cluster bus listens on port + 10000, so the port must leave room for it and for the ephemeral ports. */
function freePort() {
  const first = 10_000 + Math.floor(Math.random() * 10_000);
  return getPort({ host: '127.0.0.1', port: portNumbers(first, first + 500) });
}

function startNode(/** @type {number} */ port, /** @type {string} */ configFile) {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
  return startRedisServer({
    port,
    args: [...args, '--cluster-config-file', configFile, '--repl-diskless-sync-delay', '0'],
  });
}

async function isComplete(/** @type {RedisServer} */ { port }) {
  const { stdout } = await execa('redis-cli', ['-p', `${port}`, 'cluster', 'info']);
  return stdout.includes('cluster_state:ok') && stdout.includes(`cluster_known_nodes:${NODES}`);
}
