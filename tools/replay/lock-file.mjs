import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes `npm ci` accept the package-lock.json of an application whose registry lacks an optional package.
 *
 * `npm install` leaves such a package out of the lock, and `npm ci` then calls it missing. This takes it out of the lists of
 * optional dependencies as well. With a complete registry it changes nothing.
 *
 * @see https://github.com/npm/cli/issues/4828
 */
export async function forgetMissingOptionalPackages(/** @type {string} */ app) {
  const file = join(app, 'package-lock.json');
  const lock = JSON.parse(await readFile(file, 'utf8'));
  const names = new Set(
    Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1)),
  );
  for (const { optionalDependencies = {} } of Object.values(lock.packages))
    for (const name of Object.keys(optionalDependencies))
      if (!names.has(name)) delete optionalDependencies[name];
  await writeFile(file, JSON.stringify(lock, undefined, 2));
}
