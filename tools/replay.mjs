/**
 * Does what the documentation says, with nothing but the packed library: `npm run test:replay`.
 *
 * Makes an application with the CLI of Nest 11 (CommonJS) and of Nest 12 (ESM), and takes every command, file and setting from
 * docs/getting-started.md and docs/testing.md: the application, its test, the curls, Fastify, and the Dockerfile, whose steps
 * run in folders. A login on one process must hold on another. Prints the time of each application. Needs an npm registry.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLogin, startApplication } from './consumers/check-login.mjs';
import { makeScaffold, run, SCAFFOLDS } from './consumers/scaffolds.mjs';
import { buildImage } from './replay/build-image.mjs';
import { runCurls } from './replay/curls.mjs';
import { forgetMissingOptionalPackages } from './replay/lock-file.mjs';
import { readBlock } from './replay/pages.mjs';
import { runCommands, useFastify, writeApplication, writeTest } from './replay/steps.mjs';
import { startRedisServer } from './servers/redis-server.mjs';

const ROOT = join(import.meta.dirname, '..');
const TARBALL = 'nestjs-redis-session-0.1.0.tgz';
const PAGE = 'getting-started.md';

const folder = await mkdtemp(join(tmpdir(), 'replay-'));
const redis = await startRedisServer();
try {
  await run(ROOT, 'npm', ['run', 'build:lib']);
  await run(ROOT, 'npm', ['pack', '-w', 'nestjs-redis-session', '--pack-destination', folder]);
  const outcomes = await Promise.allSettled(SCAFFOLDS.map(replay));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
} finally {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

async function replay(/** @type {import('./consumers/scaffolds.mjs').Scaffold} */ scaffold) {
  const { name, version } = scaffold;
  const startMs = performance.now();
  const app = await makeScaffold(folder, name, version);
  await cp(join(folder, TARBALL), join(app, TARBALL));
  await runCommands(app, scaffold, /^npm install .*passport-local/m);
  await writeApplication(app, scaffold);
  await writeTest(app, scaffold);
  await run(app, 'npx', ['tsc', '--noEmit']);
  await run(app, 'npm', ['test']);
  await tryOut(app);
  await makeImage(app, `${name}-image`);
  await runCommands(app, scaffold, /platform-fastify/);
  await useFastify(app, scaffold);
  await tryOut(app);
  console.log(`ok - ${name}: ${Math.round((performance.now() - startMs) / 1000)} s`);
}

/** Builds and starts the application: the curls are answered as the page says, and a second process knows the user. */
async function tryOut(/** @type {string} */ app) {
  await run(app, 'npm', ['run', 'build']);
  const { url, stop } = await startApplication(app, redis.url);
  try {
    const { told, got } = await runCurls(PAGE, url, app);
    assert.deepEqual(got, told);
    assert.ok(told.length > 4, 'the page has curls');
  } finally {
    await stop();
  }
  await checkLogin(app, redis.url);
}

async function makeImage(/** @type {string} */ app, /** @type {string} */ name) {
  await forgetMissingOptionalPackages(app);
  const dockerfile = await readBlock(PAGE, 'dockerfile', /CMD/);
  const image = await buildImage(dockerfile, app, join(folder, name));
  await checkLogin(image.folder, redis.url, { command: image.command });
}
