import assert from 'node:assert/strict';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkLogin } from './check-login.mjs';
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
}

/** As the documentation of Nest says. Its own test of the scaffold needs Express. */
async function replaceExpress(/** @type {string} */ app, /** @type {number} */ version) {
  await run(app, 'npm', ['pkg', 'delete', 'dependencies.@nestjs/platform-express']);
  const fastify = `dependencies.@nestjs/platform-fastify=^${version}.0.0`;
  await run(app, 'npm', ['pkg', 'set', fastify]);
  await useFastifyAdapter(app);
  await rm(join(app, 'test', 'app.e2e-spec.ts'));
}
