import { type RedisSessionModuleOptions } from 'nestjs-redis-session';

/** What the launcher, the Dockerfile or a person sets; everything has a default. */
export const environment = {
  /** How long a request waits for the store. */
  commandTimeoutMs: Number(process.env['COMMAND_TIMEOUT_MS'] ?? 2000),
  /** Of PostgreSQL. */
  databaseUrl: process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres',
  /** Address to listen on; a container needs 0.0.0.0. */
  host: process.env['HOST'] ?? '127.0.0.1',
  /** Of MongoDB, with the name of the database. */
  mongodbUrl: process.env['MONGODB_URL'] ?? 'mongodb://127.0.0.1:27017/demo',
  /** `express` or `fastify`. */
  platform: process.env['PLATFORM'] ?? 'express',
  /** Name of this replica, sent as `X-Pod` with every response. */
  podName: process.env['POD_NAME'] ?? 'pod-a',
  port: Number(process.env['PORT'] ?? 3000),
  /** Where Redis is, and how many replicas of it must have a login before it is answered. */
  redis: redisOptions(process.env),
  /** `indexed`, which knows whose a session is, or `default`. */
  repository: process.env['REPOSITORY'] === 'default' ? 'default' : 'indexed',
  /** Whether a login that one replica has made holds on the others. */
  sharesLogins: process.env['STORE'] !== 'memory',
  /** Without a request for so long, a session ends. */
  idleSeconds: Number(process.env['IDLE_SECONDS'] ?? 1800),
  /** A platform sends SIGKILL some time after SIGTERM; `DEADLINE_SECONDS` must be shorter. */
  shutdown: {
    drainSeconds: Number(process.env['DRAIN_SECONDS'] ?? 5),
    deadlineSeconds: Number(process.env['DEADLINE_SECONDS'] ?? 25),
  },
  /** `redis`, `postgres`, `mongo`, or `memory` to see what happens without either. */
  store: process.env['STORE'] ?? 'redis',
} as const;

/** One server, or those that the Sentinels name, or the nodes of a Redis Cluster. */
function redisOptions({
  DURABLE_REPLICAS: replicas,
  REDIS_MASTER: name = 'mymaster',
  REDIS_NODES: nodes,
  REDIS_SENTINELS: sentinels,
  REDIS_URL: url = 'redis://127.0.0.1:6379',
}: NodeJS.ProcessEnv): RedisSessionModuleOptions {
  const durability = replicas ? { durability: { replicas: Number(replicas) } } : {};
  if (sentinels) return { redis: { sentinels: addressesIn(sentinels), name }, ...durability };
  return { redis: nodes ? { nodes: addressesIn(nodes) } : url, ...durability };
}

function addressesIn(list: string): { host: string; port: number }[] {
  return list.split(',').map((address) => {
    const { hostname, port } = new URL(`redis://${address}`);
    return { host: hostname, port: Number(port) };
  });
}
