import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startBackgroundProcess } from '../../tools/servers/background-process.mjs';
import { waitUntilListening } from '../../tools/servers/wait-until-ready.mjs';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';

/** A twemproxy before several servers: it sends each command to the server of the hash tag of its first key. */
export interface ShardingProxy {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startShardingProxy(shards: readonly RedisServer[]): Promise<ShardingProxy> {
  const [port, statisticsPort] = [await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), 'nutcracker-'));
  const configFile = join(folder, 'nutcracker.yml');
  await writeFile(configFile, configurationOf(port, shards));
  const server = startBackgroundProcess(
    'nutcracker',
    ['-c', configFile, '-a', '127.0.0.1', '-s', `${statisticsPort}`],
    { env: { PATH: `${process.env['PATH']}:/usr/sbin` } },
  );
  await waitUntilListening('nutcracker', server, port);
  return {
    port,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const freePort = () => getPort({ host: '127.0.0.1' });

function configurationOf(port: number, shards: readonly RedisServer[]): string {
  return [
    'sessions:',
    `  listen: 127.0.0.1:${port}`,
    '  redis: true',
    '  hash: fnv1a_64',
    '  hash_tag: "{}"',
    '  distribution: modula',
    '  servers:',
    ...shards.map((shard) => `    - 127.0.0.1:${shard.port}:1`),
    '',
  ].join('\n');
}
