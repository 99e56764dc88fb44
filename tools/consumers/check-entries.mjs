import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './scaffolds.mjs';

/** How TypeScript may be told to look for types, each with the `module` that goes with it. */
const RESOLUTIONS = [
  { moduleResolution: 'node10', module: 'commonjs' },
  { moduleResolution: 'node16', module: 'node16' },
  { moduleResolution: 'bundler', module: 'esnext' },
];

/**
 * Imports every entry of the installed package in each way to resolve modules, and lets TypeScript check their types, too.
 *
 * @throws {Error} if one has no types, or has types that this version of Nest does not have
 */
export async function checkEntries(/** @type {string} */ app) {
  const manifest = join(app, 'node_modules', 'nestjs-redis-session', 'package.json');
  const { exports } = JSON.parse(await readFile(manifest, 'utf8'));
  const entries = Object.keys(exports).filter((entry) => entry !== './package.json');
  // The types of what the entries `mongo` and `postgres` connect to.
  await run(app, 'npm', ['install', '--save-dev', 'mongodb', '@types/pg']);
  const folder = join(app, 'entries');
  await mkdir(folder);
  const lines = entries.map((entry, i) => {
    const name = entry.replace('.', 'nestjs-redis-session');
    return `import * as entry${i} from '${name}';\nexport const names${i}: object = entry${i};`;
  });
  // ES modules are required of CommonJS files only since TypeScript 5.8 with nodenext.
  for (const extension of ['ts', 'mts'])
    await writeFile(join(folder, `entries.${extension}`), lines.join('\n'));
  for (const { moduleResolution, module } of RESOLUTIONS)
    await run(folder, 'npx', [
      ...['tsc', '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023'],
      ...['--moduleResolution', moduleResolution, '--module', module],
      moduleResolution === 'node16' ? 'entries.mts' : 'entries.ts',
    ]);
  await run(folder, 'npx', [
    ...['tsc', '--noEmit', '--strict', '--target', 'es2023', '--types', 'node'],
    ...['--module', 'nodenext', 'entries.ts'],
  ]);
  // The application is built next, with `src` as its only folder.
  await rm(folder, { recursive: true });
}
