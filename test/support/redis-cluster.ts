import { execa } from 'execa';
import getPort, { portNumbers } from 'get-port';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.mjs';
import { eventually } from './eventually.js';

const NODES = 6;

/** Three masters with one replica each, on 127.0.0.1. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** As ioredis takes them: `new Cluster(addresses)`. */
  readonly addresses: readonly { host: string; port: number }[];
  stop(): Promise<void>;
}

/** Starts a Redis Cluster and waits until all its nodes call its state "ok" (about 2 s). */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let started = 0; started < NODES; started++) nodes.push(await startNode());
    const members = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await execa('redis-cli', [
      ...['--cluster', 'create', ...members, '--cluster-replicas', '1', '--cluster-yes'],
    ]);
    await Promise.all(nodes.map((node) => eventually(() => isComplete(node))));
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, addresses: nodes.map(({ port }) => ({ host: '127.0.0.1', port })), stop };
}

/** The cluster bus listens on port + 10000, so the port must leave room for it and for the ephemeral ports. */
async function startNode(): Promise<RedisServer> {
  const first = 10_000 + Math.floor(Math.random() * 10_000);
  const port = await getPort({ host: '127.0.0.1', port: portNumbers(first, first + 500) });
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
  return startRedisServer({ port, args: [...args, '--repl-diskless-sync-delay', '0'] });
}

async function isComplete({ port }: RedisServer): Promise<boolean> {
  const { stdout } = await execa('redis-cli', ['-p', `${port}`, 'cluster', 'info']);
  return stdout.includes('cluster_state:ok') && stdout.includes(`cluster_known_nodes:${NODES}`);
}
