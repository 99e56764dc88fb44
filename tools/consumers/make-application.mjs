import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deleteFiles, runCommands, useFastifyAdapter, useJestSetting } from '../replay/steps.mjs';
import { makeScaffold, run } from './scaffolds.mjs';

/**
 * Makes the application `<folder>/<name>` by the commands of docs/getting-started.md, and adds a login and its test.
 *
 * @param {string} folder - it holds the tarball
 * @param {import('./scaffolds.mjs').Scaffold} scaffold
 * @param {string} tarball - its name
 */
export async function makeApplication(folder, scaffold, tarball) {
  const app = await makeScaffold(folder, scaffold.name, scaffold.version);
  await cp(join(folder, tarball), join(app, tarball));
  await runCommands(app, scaffold, /^npm install .*passport-local/m);
  await runCommands(app, scaffold, /platform-fastify/);
  await deleteFiles(app);
  await cp(join(import.meta.dirname, 'app'), join(app, 'src'), { recursive: true });
  if (scaffold.isCommonJs) await adaptToCommonJs(app);
}

/** Replaces the platform in `main.ts`, which is as the CLI made it but for that, and builds the application. */
export async function buildFor(
  /** @type {string} */ app,
  /** @type {'express' | 'fastify'} */ platform,
) {
  if (platform === 'fastify') await useFastifyAdapter(app);
  await run(app, 'npm', ['run', 'build']);
}

async function adaptToCommonJs(/** @type {string} */ app) {
  const test = join(app, 'src', 'login.spec.ts');
  await writeFile(test, (await readFile(test, 'utf8')).replace("module.js'", "module'"));
  await useJestSetting(app);
}
