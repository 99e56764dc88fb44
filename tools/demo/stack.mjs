import getPort from 'get-port';
import { startFerretServer } from '../servers/ferretdb-server.mjs';
import { startNginx } from '../servers/nginx.mjs';
import { startPod } from '../servers/pod.mjs';
import { startPostgresServer } from '../servers/postgres-server.mjs';
import { startRedisServer } from '../servers/redis-server.mjs';

const DEFAULT_PORT = 8080;

/**
 * The four boxes of the demo, running.
 *
 * @typedef {object} Stack
 * @property {string} url - of nginx
 * @property {boolean} isSticky - whether nginx keeps each browser on one replica
 * @property {string} storeUrl - of Redis, PostgreSQL or MongoDB; `memory` when sessions are in the replicas
 * @property {readonly import('../servers/pod.mjs').Pod[]} pods
 * @property {() => Promise<void>} stop - ends what was started here: nginx first, the store last
 */

/**
 * Starts Redis, PostgreSQL or FerretDB (unless `REDIS_URL`, `DATABASE_URL` or `MONGODB_URL` names one), pod-a, pod-b and nginx. When one fails to start, the others are stopped.
 *
 * @param {{ platform: string, store: string, isCheck: boolean, isSticky: boolean }} options
 * @returns {Promise<Stack>}
 */
export async function startStack({ platform, store, isCheck, isSticky }) {
  /** @type {{ stop: () => Promise<void> }[]} */
  const started = [];
  const stop = async () => {
    while (started.length > 0) await started.pop()?.stop();
  };
  try {
    const port = await chooseNginxPort(isCheck);
    const urls = await startStore(started, store);
    const pods = [];
    for (const name of ['pod-a', 'pod-b']) {
      const podPort = await getPort({ host: '127.0.0.1' });
      pods.push(keep(started, await startPod({ name, port: podPort, ...urls, platform, store })));
    }
    const [podA, podB] = pods;
    const upstreamPorts = [podA.port, podB.port];
    const nginx = keep(started, await startNginx({ upstreamPorts, port, isSticky }));
    const storeUrl = urls.redisUrl ?? urls.databaseUrl ?? urls.mongodbUrl ?? 'memory';
    return { url: nginx.url, isSticky, storeUrl, pods, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * @param {{ stop: () => Promise<void> }[]} started
 * @param {string} store
 * @returns {Promise<{ redisUrl?: string, databaseUrl?: string, mongodbUrl?: string }>}
 */
async function startStore(started, store) {
  const { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, MONGODB_URL: mongodbUrl } = process.env;
  if (store === 'memory') return {};
  if (store === 'mongo')
    return { mongodbUrl: mongodbUrl ?? `${keep(started, await startFerretServer()).url}demo` };
  return store === 'redis'
    ? { redisUrl: redisUrl ?? keep(started, await startRedisServer()).url }
    : { databaseUrl: databaseUrl ?? keep(started, await startPostgresServer()).url };
}

/** @returns {Promise<number | undefined>} undefined = any free one */
async function chooseNginxPort(/** @type {boolean} */ isCheck) {
  if (isCheck && !process.env.PORT) return undefined;
  const port = Number(process.env.PORT ?? DEFAULT_PORT);
  if ((await getPort({ port })) === port) return port;
  throw new Error(`Cannot start nginx: port ${port} is in use. Set PORT to another one.`);
}

/**
 * @template {{ stop: () => Promise<void> }} T
 * @param {{ stop: () => Promise<void> }[]} started
 * @param {T} server
 */
function keep(started, server) {
  started.push(server);
  return server;
}
