/**
 * Tries the packed library as its users get it: `npm run test:consumers`.
 *
 * Installs the tarball in an application of Nest 11 (CommonJS, Jest) and of Nest 12 (ESM, Vitest), each as its CLI makes it.
 * Checks the types, runs the tests, and starts two processes on Express and two on Fastify with a Redis of their own: a login
 * on the first must hold on the second. Runs `nest add` in two more applications of each, one per platform, and installs
 * examples/minimal alone. Exits with 1 when a step fails. Needs an npm registry.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEntries } from './consumers/check-entries.mjs';
import { checkMinimal } from './consumers/check-minimal.mjs';
import { checkNestAdd } from './consumers/check-nest-add.mjs';
import { checkLogin } from './consumers/check-login.mjs';
import { buildFor, makeApplication } from './consumers/make-application.mjs';
import { run, SCAFFOLDS } from './consumers/scaffolds.mjs';
import { startRedisServer } from './servers/redis-server.mjs';

const root = join(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'consumers-'));
const tarball = 'nestjs-redis-session-0.1.0.tgz';
const redis = await startRedisServer();
try {
  await step('the tarball is packed', pack);
  await step('publint and attw find nothing', checkPackage);
  await step('examples/minimal installs and starts alone', () => checkMinimal(folder, tarball));
  const outcomes = await Promise.allSettled(SCAFFOLDS.map(tryIn));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
} finally {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

async function tryIn(/** @type {import('./consumers/scaffolds.mjs').Scaffold} */ scaffold) {
  const { name, isCommonJs } = scaffold;
  const app = join(folder, name);
  await step(`${name}: the application is made`, () => makeApplication(folder, scaffold, tarball));
  await step(`${name}: its types are right`, () => run(app, 'npx', ['tsc', '--noEmit']));
  // TypeScript 6, which comes with Nest 12, has no node10 any more.
  if (isCommonJs) await step(`${name}: all entries have types`, () => checkEntries(app));
  await step(`${name}: its tests pass`, () => run(app, 'npm', ['test']));
  for (const platform of /** @type {const} */ (['express', 'fastify']))
    await step(`${name} on ${platform}: a login holds on another process`, async () => {
      await buildFor(app, platform);
      await checkLogin(app, redis.url, { adminPath: '/admin' });
    });
  for (const platform of /** @type {const} */ (['express', 'fastify']))
    await step(`${name} on ${platform}: nest add makes an application with a login`, () =>
      checkNestAdd(folder, scaffold, { tarball, redisUrl: redis.url, platform }),
    );
}

async function pack() {
  await run(root, 'npm', ['run', 'build:lib']);
  await run(root, 'npm', ['pack', '-w', 'nestjs-redis-session', '--pack-destination', folder]);
}

async function checkPackage() {
  await run(root, 'npx', ['--no', '--', 'publint', '--strict', join(folder, tarball)]);
  // CommonJS requires the ES modules of this package, which Node.js can since 20.19.
  await run(root, 'npx', ['--no', '--', 'attw', '--profile', 'esm-only', join(folder, tarball)]);
}

/** Runs one step and prints how long it took. @throws {Error} that names the step */
async function step(/** @type {string} */ name, /** @type {() => Promise<void>} */ action) {
  const startMs = performance.now();
  try {
    await action();
  } catch (cause) {
    throw new Error(`not ok - ${name}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  console.log(`ok - ${name} (${Math.round((performance.now() - startMs) / 1000)} s)`);
}
