import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** Of the checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PARTS = ['libs/redis-session', 'apps/demo'];

/** Builds the library and the demo, unless each build is newer than its sources. */
export async function buildIfStale() {
  const isFresh = await Promise.all(PARTS.map(isNewerThanItsSources));
  if (isFresh.every(Boolean)) return;
  console.log('> npm run build');
  const result = await execa('npm', ['run', 'build'], { cwd: ROOT, all: true, reject: false });
  if (result.failed) throw new Error(`Cannot build the demo: ${result.all}`);
}

/** Builds the library alone. */
export async function buildLibraryIfStale() {
  if (await isNewerThanItsSources('libs/redis-session')) return;
  console.log('> npm run build:lib');
  const result = await execa('npm', ['run', 'build:lib'], { cwd: ROOT, all: true, reject: false });
  if (result.failed) throw new Error(`Cannot build the library: ${result.all}`);
}

async function isNewerThanItsSources(/** @type {string} */ part) {
  // The library is built in two steps.
  const outputs = part === 'libs/redis-session' ? ['build', 'dist'] : ['dist'];
  const builtMs = await Promise.all(outputs.map((output) => newestIn(`${part}/${output}`)));
  return Math.min(...builtMs) >= (await newestIn(`${part}/src`));
}

/** @returns {Promise<number>} epoch ms of the youngest file below the folder; 0 when there is none */
export async function newestIn(/** @type {string} */ folder) {
  const files = await readdir(join(ROOT, folder), { recursive: true }).catch(() => []);
  const times = files.map(async (file) => (await stat(join(ROOT, folder, file))).mtimeMs);
  return Math.max(0, ...(await Promise.all(times)));
}
