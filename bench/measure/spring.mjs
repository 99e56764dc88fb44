import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import getPort from 'get-port';
import { startBackgroundProcess } from '../../tools/servers/background-process.mjs';
import { isOnPath } from '../../tools/servers/ensure-programs.mjs';

const PROJECT = fileURLToPath(new URL('../peers/spring', import.meta.url));
const JAR = `${PROJECT}/target/spring-peer.jar`;
const START_WITHIN_MS = 120_000;
/** Of /proc/<pid>/stat, on every Linux that we know. */
const TICK_US = 10_000;

/** @returns {Promise<string | undefined>} why Spring cannot take part; undefined when it can, and then it is built */
export async function whyNoSpring() {
  if (process.platform !== 'linux') return 'its CPU time is read from /proc, which only Linux has';
  if (!isOnPath('java')) return 'no JDK is here (java is not on the PATH)';
  if (await isBuilt()) return undefined;
  if (!isOnPath('mvn')) return 'Maven is not here (mvn is not on the PATH)';
  console.log('> mvn package (peers/spring)');
  const build = await execa('mvn', ['-q', '-B', 'package'], {
    cwd: PROJECT,
    all: true,
    reject: false,
  });
  return build.failed ? `mvn package failed: ${build.all}` : undefined;
}

/**
 * Starts the Spring Boot application.
 *
 * @param {import('../contestants.mjs').ContestantSpec} contestant
 * @param {string} redisUrl
 * @returns {Promise<import('./server.mjs').Server>}
 */
export async function startSpring({ id, label, options }, redisUrl) {
  const port = await getPort({ host: '127.0.0.1' });
  const origin = `http://127.0.0.1:${port}`;
  const properties = {
    'server.port': port,
    'spring.data.redis.url': redisUrl,
    'spring.session.data.redis.namespace': id,
    'spring.session.data.redis.repository-type': options.repositoryType,
  };
  const args = Object.entries(properties).map(([name, value]) => `--${name}=${value}`);
  const server = startBackgroundProcess('java', ['-jar', JAR, ...args]);
  await waitUntilUp(label, server, `${origin}/hello`);
  return {
    origin,
    cpuUs: () => cpuUsOf(server.pid),
    heapBytes: async () => NaN,
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    stop: server.stop,
  };
}

/** A JVM that shares its cores takes longer to start than the servers of the tests. */
async function waitUntilUp(label, server, url) {
  const giveUpAt = Date.now() + START_WITHIN_MS;
  const isUp = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isUp())) {
    if (server.hasExited() || Date.now() > giveUpAt) {
      await server.kill('SIGKILL');
      throw new Error(`Cannot start ${label}: ${server.output()}`);
    }
    await delay(100);
  }
}

async function cpuUsOf(pid) {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // utime and stime are the 14th and 15th of all fields; two came before.
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

async function isBuilt() {
  const files = [
    'pom.xml',
    'src/main/java/bench/SessionController.java',
    'src/main/resources/application.properties',
  ];
  const sources = await Promise.all(files.map((file) => stat(`${PROJECT}/${file}`)));
  const jar = await stat(JAR).catch(() => undefined);
  return jar !== undefined && sources.every(({ mtimeMs }) => mtimeMs < jar.mtimeMs);
}
