import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkLogin } from './check-login.mjs';
import { makeScaffold, run } from './make-application.mjs';

/**
 * Makes a new application and runs `nest add nestjs-redis-session` in it: its tests pass, and a login holds on two processes.
 *
 * @param {string} folder
 * @param {import('./make-application.mjs').Scaffold} scaffold
 * @param {{ tarball: string, redisUrl: string }} parts
 */
export async function checkNestAdd(folder, { name, version }, { tarball, redisUrl }) {
  const app = await makeScaffold(folder, `${name}-added`, version);
  await run(app, 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball]);
  // `nest add` would install the package from the registry of npm.
  await run(app, 'npx', ['nest', 'add', 'nestjs-redis-session', '--skip-install']);
  const main = await readFile(join(app, 'src', 'main.ts'), 'utf8');
  assert.equal(main.includes('enableCsrfProtection'), version >= 12, 'forms of other sites');
  await run(app, 'npx', ['tsc', '--noEmit']);
  await run(app, 'npm', ['test']);
  await run(app, 'npm', ['run', 'test:e2e']);
  await checkLogin(app, 'express', redisUrl);
}
