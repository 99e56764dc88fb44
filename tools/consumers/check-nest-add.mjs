import assert from 'node:assert/strict';
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkLogin, startApplication } from './check-login.mjs';
import { runCommands, useFastifyAdapter } from '../replay/steps.mjs';
import { makeScaffold, run } from './scaffolds.mjs';

/**
 * Makes a new application and adds the library in one command, as docs/getting-started.md says: its tests pass, and a login
 * holds on two processes.
 *
 * @param {string} folder - it holds the tarball
 * @param {import('./scaffolds.mjs').Scaffold} scaffold
 * @param {{ tarball: string, redisUrl: string, platform: 'express' | 'fastify' }} parts
 */
export async function checkNestAdd(folder, scaffold, { tarball, redisUrl, platform }) {
  const { name, version } = scaffold;
  const app = await makeScaffold(folder, `${name}-added-${platform}`, version);
  if (platform === 'fastify') await replaceExpress(app, version);
  await cp(join(folder, tarball), join(app, tarball));
  await runCommands(app, scaffold, /nest add/);
  const main = await readFile(join(app, 'src', 'main.ts'), 'utf8');
  assert.equal(main.includes('enableCsrfProtection'), version >= 12, 'forms of other sites');
  await run(app, 'npx', ['tsc', '--noEmit']);
  await run(app, 'npm', ['test']);
  if (platform === 'express') await run(app, 'npm', ['run', 'test:e2e']);
  await run(app, 'npm', ['run', 'build']);
  await checkLogin(app, redisUrl);
  if (platform === 'express') await checkFlags(folder, app, { scaffold, tarball, redisUrl });
}

/**
 * Runs `nest add` with every flag in a scaffold that takes the packages of `app`: the application starts.
 *
 * @param {string} folder - it holds the tarball
 * @param {string} app
 * @param {{ scaffold: import('./scaffolds.mjs').Scaffold, tarball: string, redisUrl: string }} parts
 */
async function checkFlags(folder, app, { scaffold: { name, version }, tarball, redisUrl }) {
  const fresh = await makeScaffold(folder, `${name}-flags`, version);
  await rename(join(app, 'node_modules'), join(fresh, 'node_modules'));
  await cp(join(folder, tarball), join(fresh, tarball));
  await run(fresh, 'npm', ['install', '--no-audit', '--no-fund', `./${tarball}`]);
  const add = (/** @type {string[]} */ flags) =>
    run(fresh, 'npx', ['--no', 'nest', 'add', 'nestjs-redis-session', '--skip-install', ...flags]);
  const untouched = await readFile(join(fresh, 'src', 'app.module.ts'), 'utf8');
  await add(['--logins=false']).catch(() => undefined); // the CLI of Nest 12 ends with 0
  assert.equal(await readFile(join(fresh, 'src', 'app.module.ts'), 'utf8'), untouched);
  await add(['--redis=redis://cache:6379', '--login=false', '--express-session', '--tests=false']);
  const module = await readFile(join(fresh, 'src', 'app.module.ts'), 'utf8');
  assert.match(module, /'redis:\/\/cache:6379'/);
  assert.match(module, /migrateFrom\(/);
  assert.doesNotMatch(module, /AuthModule/);
  await run(fresh, 'npx', ['tsc', '--noEmit']);
  await run(fresh, 'npm', ['run', 'build']);
  const { url, stop } = await startApplication(fresh, redisUrl);
  try {
    assert.equal((await fetch(url)).status, 200);
  } finally {
    await stop();
  }
}

/** As the documentation of Nest says. Its own test of the scaffold needs Express. */
async function replaceExpress(/** @type {string} */ app, /** @type {number} */ version) {
  await run(app, 'npm', ['pkg', 'delete', 'dependencies.@nestjs/platform-express']);
  const fastify = `dependencies.@nestjs/platform-fastify=^${version}.0.0`;
  await run(app, 'npm', ['pkg', 'set', fastify]);
  await useFastifyAdapter(app);
  await rm(join(app, 'test', 'app.e2e-spec.ts'));
}
