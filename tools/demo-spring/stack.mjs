import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startBackgroundProcess } from '../servers/background-process.mjs';
import { startNginxWith } from '../servers/nginx.mjs';
import { startPostgresServer } from '../servers/postgres-server.mjs';
import { startRedisServer } from '../servers/redis-server.mjs';
import { waitUntilReady } from '../servers/wait-until-ready.mjs';
import { classesOf, JVM_OPTIONS } from './build.mjs';

const NGINX = new URL('../../examples/spring-interop/nginx.conf', import.meta.url);
/** A JVM shares its processors with other programs, and the Nest half starts beside it. */
const READY_WITHIN_MS = 120_000;

/**
 * @typedef {object} Side
 * @property {string} url
 * @property {() => string} output - the end of its log
 * @property {() => Promise<void>} stop
 */

/**
 * Redis, the Spring application, the Nest one and nginx before them, running.
 *
 * @typedef {object} SpringStack
 * @property {string} url - of nginx
 * @property {string} storeUrl - of the Redis or the PostgreSQL that holds the sessions
 * @property {Side} spring
 * @property {Side} nest
 * @property {() => Promise<void>} stop
 */

/**
 * @typedef {object} SpringStackOptions
 * @property {3 | 4} boot - generation of Spring Boot
 * @property {string} repository - `default` or `indexed`
 * @property {string} [platform] - of Nest: `express` or `fastify`
 * @property {number} [maximumSessions] - on both sides; -1 = any number
 * @property {number} [port] - of nginx
 * @property {boolean} [preventsLogin] - whether a login beyond `maximumSessions` is refused; else it ends the oldest session
 * @property {'json' | 'jdk'} [serialization] - of Spring
 * @property {'redis' | 'postgres'} [store] - where both sides keep sessions
 * @property {boolean} [storesLogins] - whether Nest stores logins by Java serialization
 */

/**
 * @param {{ jar: string, main: string }} programs
 * @param {SpringStackOptions} options
 * @returns {Promise<SpringStack>}
 */
export async function startSpringStack({ jar, main }, options) {
  /** @type {{ stop: () => Promise<void> }[]} */
  const started = [];
  const keep = (/** @type {{ stop: () => Promise<void> }} */ server) => {
    started.push(server);
    return server;
  };
  const stop = async () => {
    while (started.length > 0) await started.pop()?.stop();
  };
  try {
    const isPostgres = options.store === 'postgres';
    const store = await (isPostgres ? startPostgresServer() : startRedisServer());
    keep(store);
    const springStarts = startSpring(jar, store.port, options).then(keep);
    // Spring makes its own tables, and Nest adds those that it needs besides.
    const nestStarts = (isPostgres ? springStarts : Promise.resolve())
      .then(() => startNest(main, store.url, options))
      .then(keep);
    const starting = [springStarts, nestStarts];
    // One that fails must not leave the other one behind.
    await Promise.allSettled(starting);
    const [spring, nest] = await Promise.all(starting);
    const nginx = await startNginxBefore(spring, nest, options.port);
    keep(nginx);
    return { url: nginx.url, storeUrl: store.url, spring, nest, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Another Nest application and nginx, beside a Spring application that runs already.
 *
 * @param {string} main
 * @param {SpringStack} stack - runs longer than what this starts
 * @param {SpringStackOptions} options
 * @returns {Promise<SpringStack>}
 */
export async function startAnotherNest(main, { spring, storeUrl }, options) {
  const nest = await startNest(main, storeUrl, options);
  try {
    const nginx = await startNginxBefore(spring, nest, options.port);
    const stop = async () => {
      await nginx.stop();
      await nest.stop();
    };
    return { url: nginx.url, storeUrl, spring, nest, stop };
  } catch (error) {
    await nest.stop();
    throw error;
  }
}

function startNginxBefore(
  /** @type {Side} */ spring,
  /** @type {Side} */ nest,
  /** @type {number | undefined} */ port,
) {
  const variables = { NEST: new URL(nest.url).host, SPRING: new URL(spring.url).host };
  return startNginxWith(NGINX, variables, { port });
}

/**
 * One replica of the Spring half.
 *
 * @returns {Promise<Side>}
 */
export async function startSpring(
  /** @type {string} */ jar,
  /** @type {number} */ storePort,
  /** @type {SpringStackOptions} */ {
    boot,
    repository,
    maximumSessions = -1,
    preventsLogin = false,
    serialization = 'json',
    store = 'redis',
  },
) {
  const port = await getPort({ host: '127.0.0.1' });
  const folder = await mkdtemp(join(tmpdir(), 'spring-'));
  const repositoryType =
    boot === 3
      ? 'spring.session.redis.repository-type'
      : 'spring.session.data.redis.repository-type';
  const server = startBackgroundProcess(
    'java',
    [
      ...[...JVM_OPTIONS, `-XX:SharedArchiveFile=${classesOf(jar)}`, '-jar', jar],
      ...[`--server.port=${port}`, `--server.tomcat.basedir=${folder}`],
      ...(store === 'postgres'
        ? jdbcOptions(storePort)
        : [`--spring.data.redis.port=${storePort}`, `--${repositoryType}=${repository}`]),
      ...[`--demo.maximum-sessions=${maximumSessions}`, `--demo.serialization=${serialization}`],
      `--demo.maximum-sessions-prevents-login=${preventsLogin}`,
    ],
    {},
  );
  return whenReady('Spring', server, {
    url: `http://127.0.0.1:${port}`,
    path: '/spring/home',
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
}

function jdbcOptions(/** @type {number} */ port) {
  return [
    `--spring.datasource.url=jdbc:postgresql://127.0.0.1:${port}/postgres`,
    '--spring.datasource.username=postgres',
    '--spring.session.jdbc.initialize-schema=always',
    '--spring.session.jdbc.cleanup-cron=-',
  ];
}

/**
 * One replica of the Nest half.
 *
 * @returns {Promise<Side>}
 */
export async function startNest(
  /** @type {string} */ main,
  /** @type {string} */ storeUrl,
  /** @type {SpringStackOptions} */ {
    boot,
    repository,
    platform = 'express',
    maximumSessions = -1,
    preventsLogin = false,
    serialization = 'json',
    store = 'redis',
    storesLogins = false,
  },
) {
  const port = await getPort({ host: '127.0.0.1' });
  const env = {
    ...{ NO_COLOR: '1', BOOT: `${boot}`, PORT: `${port}`, STORE_URL: storeUrl },
    ...{ REPOSITORY: repository, PLATFORM: platform, MAXIMUM_SESSIONS: `${maximumSessions}` },
    PREVENTS_LOGIN: `${preventsLogin}`,
    ...{ STORE: store, SERIALIZATION: serialization, STORES_LOGINS: `${storesLogins}` },
  };
  const server = startBackgroundProcess(process.execPath, [main], { env });
  return whenReady('Nest', server, { url: `http://127.0.0.1:${port}`, path: '/nest/home' });
}

/**
 * @param {string} name
 * @param {import('../servers/background-process.mjs').BackgroundProcess} server
 * @param {{ url: string, path: string, cleanUp?: () => Promise<void> }} options
 * @returns {Promise<Side>}
 */
async function whenReady(name, server, { url, path, cleanUp }) {
  const isReady = async () => {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(5_000) });
    await response.text();
    return response.ok;
  };
  await waitUntilReady(name, server, isReady, READY_WITHIN_MS);
  const stop = async () => {
    await server.stop();
    await cleanUp?.();
  };
  return { url, output: server.output, stop };
}
