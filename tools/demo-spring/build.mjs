import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { buildLibraryIfStale, newestIn, ROOT } from '../demo/build.mjs';

const EXAMPLE = 'examples/spring-interop';

/** An archive of classes is for one garbage collector. */
export const JVM_OPTIONS = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** For a start that needs no database. An application without one does not look at it. */
const NO_DATABASE = [
  '--spring.datasource.url=jdbc:postgresql://127.0.0.1:1/none',
  '--spring.datasource.hikari.connection-timeout=250',
  '--spring.session.jdbc.initialize-schema=never',
];

/** @returns {string} where the loaded classes of an application are kept; the JVM reads them if they fit */
export const classesOf = (/** @type {string} */ jar) => jar.replace(/jar$/, 'jsa');

/**
 * Builds the library, the Nest half and the Spring half, unless each build is newer than its sources.
 *
 * @param {number} boot - generation of Spring Boot
 * @param {'redis' | 'postgres'} [store] - where Spring keeps sessions
 * @returns {Promise<{ jar: string, main: string }>}
 */
export async function buildBoth(boot, store = 'redis') {
  await buildLibraryIfStale();
  return {
    main: await buildNest(),
    jar: await buildSpring(store === 'postgres' ? `boot${boot}-jdbc` : `boot${boot}`),
  };
}

async function buildNest() {
  const folder = `${EXAMPLE}/nest`;
  if ((await newestIn(`${folder}/dist`)) < (await newestIn(`${folder}/src`))) {
    console.log('> tsc (the Nest half)');
    await run('npx', ['tsc', '-p', `${folder}/tsconfig.build.json`], ROOT);
  }
  return join(ROOT, folder, 'dist/main.js');
}

async function buildSpring(/** @type {string} */ profile) {
  const folder = join(ROOT, EXAMPLE, 'spring');
  const target = join(folder, `target/${profile}`);
  const jar = join(target, 'app/app.jar');
  const built = await stat(classesOf(jar)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const { mtimeMs: pomMs } = await stat(join(folder, 'pom.xml'));
  if (built < Math.max(pomMs, await newestIn(`${EXAMPLE}/spring/src`))) {
    console.log(`> mvn package (the Spring half, ${profile}; the first time takes minutes)`);
    await run('mvn', ['-q', '-B', `-P${profile}`, 'package'], folder);
    const extract = ['-Djarmode=tools', '-jar', 'app.jar', 'extract', '--force'];
    await run('java', [...extract, '--destination', 'app'], target);
    await archiveClasses(jar);
  }
  return jar;
}

/** Loads all classes once and keeps them as the JVM has them in memory: a start from there takes half the time. */
async function archiveClasses(/** @type {string} */ jar) {
  const archive = `-XX:ArchiveClassesAtExit=${classesOf(jar)}`;
  const start = ['-Dspring.context.exit=onRefresh', '-jar', jar, '--server.port=0', ...NO_DATABASE];
  await run('java', [...JVM_OPTIONS, archive, ...start], dirname(jar));
}

async function run(
  /** @type {string} */ file,
  /** @type {readonly string[]} */ args,
  /** @type {string} */ cwd,
) {
  const result = await execa(file, args, { cwd, all: true, reject: false });
  if (result.failed) throw new Error(`Cannot run ${file} in ${cwd}: ${result.all}`);
}
