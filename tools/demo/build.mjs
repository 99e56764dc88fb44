import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = ['libs/redis-session/src', 'apps/demo/src'];
const RESULTS = ['libs/redis-session/dist/index.js', 'apps/demo/dist/main.js'];

/** Builds the library and the demo, unless both results are newer than every source. */
export async function buildIfStale() {
  const builtAt = Math.min(...(await Promise.all(RESULTS.map(modifiedAt))));
  const changedAt = Math.max(...(await Promise.all(SOURCES.map(newestIn))));
  if (builtAt >= changedAt) return;
  console.log('> npm run build');
  const result = await execa('npm', ['run', 'build'], { cwd: ROOT, all: true, reject: false });
  if (result.failed) throw new Error(`Cannot build the demo: ${result.all}`);
}

/** @returns {Promise<number>} epoch ms, 0 when the file does not exist */
async function modifiedAt(/** @type {string} */ file) {
  return stat(join(ROOT, file)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

/** @returns {Promise<number>} epoch ms of the youngest file below the folder */
async function newestIn(/** @type {string} */ folder) {
  const files = await readdir(join(ROOT, folder), { recursive: true });
  return Math.max(...(await Promise.all(files.map((file) => modifiedAt(join(folder, file))))));
}
