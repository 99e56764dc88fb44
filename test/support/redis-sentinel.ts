import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.mjs';
import { eventually } from './eventually.js';

const SENTINELS = 3;
const REPLICAS = 2;

/** One master with two replicas, watched by three sentinels, on 127.0.0.1. */
export interface RedisSentinel {
  readonly master: RedisServer;
  readonly replicas: readonly RedisServer[];
  /** As ioredis takes them: `new Redis({ sentinels, name })`. */
  readonly sentinels: readonly { host: string; port: number }[];
  /** The name under which the sentinels know the master. */
  readonly name: string;
  stop(): Promise<void>;
}

/** Starts master, replicas and sentinels and waits until every sentinel knows all of them (about 2 s). */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'sentinel-'));
  const servers: RedisServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const start = async (args: string[], configFile?: string): Promise<RedisServer> => {
    const server = await startRedisServer({ args, ...(configFile && { configFile }) });
    servers.push(server);
    return server;
  };
  try {
    const master = await start(['--repl-diskless-sync-delay', '0']);
    const replicas: RedisServer[] = [];
    for (let n = 0; n < REPLICAS; n++) {
      replicas.push(await start(['--replicaof', `127.0.0.1 ${master.port}`]));
    }
    const sentinels: { host: string; port: number }[] = [];
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

/** A sentinel rewrites its configuration, so each needs a file of its own. */
async function writeConfig(folder: string, number: number, masterPort: number): Promise<string> {
  const file = join(folder, `sentinel-${number}.conf`);
  const lines = [
    `sentinel monitor sessions 127.0.0.1 ${masterPort} 2`,
    'sentinel down-after-milliseconds sessions 1000',
    'sentinel failover-timeout sessions 5000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

async function knowsAll(port: number): Promise<boolean> {
  const { stdout } = await execa('redis-cli', ['-p', `${port}`, 'sentinel', 'master', 'sessions']);
  const fields = stdout.split('\n');
  const valueOf = (name: string): number => Number(fields[fields.indexOf(name) + 1]);
  return valueOf('num-slaves') === REPLICAS && valueOf('num-other-sentinels') === SENTINELS - 1;
}
