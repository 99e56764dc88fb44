import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../consumers/scaffolds.mjs';
import { readBlock, readPage } from './pages.mjs';

const PAGE = 'getting-started.md';

/** @typedef {import('../consumers/scaffolds.mjs').Scaffold} Scaffold */

/** Runs the commands of a block of docs/getting-started.md, with the packages that Nest 11 needs in a Nest 11 application. */
export async function runCommands(
  /** @type {string} */ app,
  /** @type {Scaffold} */ { version },
  /** @type {RegExp} */ pattern,
) {
  const commands = (await readBlock(PAGE, 'sh', pattern)).trim().split('\n');
  for (const line of commands) {
    const command = line.replace('path/to/', './');
    const packages = /(@nestjs\/(?:passport|platform-fastify))\b/g;
    await run(app, 'sh', ['-c', version === 11 ? command.replace(packages, '$1@11') : command]);
  }
}

/** Deletes and replaces the files that docs/getting-started.md names. */
export async function writeApplication(
  /** @type {string} */ app,
  /** @type {Scaffold} */ { version },
) {
  await deleteFiles(app);
  const module = await readBlock(PAGE, 'ts', /export class AppModule/);
  await writeFile(join(app, 'src', 'app.module.ts'), module);
  if (version === 11) return;
  await writeFile(
    join(app, 'src', 'main.ts'),
    await readBlock(PAGE, 'ts', /create\(AppModule\);\napp.enableCsrfProtection/),
  );
}

/** Deletes the files of the scaffold that docs/getting-started.md names. */
export async function deleteFiles(/** @type {string} */ app) {
  const [sentence = ''] = /^Delete `src[^]*?\. Replace/m.exec(await readPage(PAGE)) ?? [];
  const deleted = [...sentence.matchAll(/`([\w/.-]+)`/g)];
  if (deleted.length === 0) throw new Error(`docs/${PAGE} names no file to delete.`);
  for (const [, file = ''] of deleted) await rm(join(app, file));
}

/** Adds the test of docs/testing.md, and in CommonJS the setting of Jest. */
export async function writeTest(/** @type {string} */ app, /** @type {Scaffold} */ scaffold) {
  const test = await readBlock('testing.md', 'ts', /Hello lee/);
  const file = join(app, 'src', 'members.spec.ts');
  await writeFile(file, scaffold.isCommonJs ? test.replace("app.module.js'", "app.module'") : test);
  if (scaffold.isCommonJs) await useJestSetting(app);
}

/** Adds the setting of docs/testing.md to package.json: Jest cannot load ES modules, so ts-jest transforms them. */
export async function useJestSetting(/** @type {string} */ app) {
  const setting = JSON.parse(`{${await readBlock('testing.md', 'json', /^"transformIgnore/)}}`);
  const manifest = join(app, 'package.json');
  const { jest, ...rest } = JSON.parse(await readFile(manifest, 'utf8'));
  await writeFile(
    manifest,
    JSON.stringify({ ...rest, jest: { ...jest, ...setting } }, undefined, 2),
  );
}

/** Replaces `src/main.ts` as docs/getting-started.md says for Fastify; in Nest 11 only two places of it. */
export async function useFastify(/** @type {string} */ app, /** @type {Scaffold} */ { version }) {
  if (version === 11) return useFastifyAdapter(app);
  await writeFile(join(app, 'src', 'main.ts'), await readBlock(PAGE, 'ts', /FastifyAdapter\(\)/));
}

/** Adds the import of the adapter and the second argument of `create`, as docs/getting-started.md has them. */
export async function useFastifyAdapter(/** @type {string} */ app) {
  const file = join(app, 'src', 'main.ts');
  const replacement = await readBlock(PAGE, 'ts', /FastifyAdapter\(\)/);
  const [imported = ''] = /^import .*FastifyAdapter.*$/m.exec(replacement) ?? [];
  const [created = ''] = /NestFactory\.create\(.*\)(?=;)/.exec(replacement) ?? [];
  const text = (await readFile(file, 'utf8')).replace(/NestFactory\.create\(.*\)(?=;)/, created);
  await writeFile(file, `${imported}\n${text}`);
}
