import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/**
 * An application as one version of Nest's CLI makes it.
 *
 * @typedef {object} Scaffold
 * @property {'nest11' | 'nest12'} name
 * @property {number} version - of Nest and of its CLI
 * @property {boolean} isCommonJs - CommonJS with Jest, else ESM with Vitest
 */

/** @type {readonly Scaffold[]} */
export const SCAFFOLDS = [
  { name: 'nest11', version: 11, isCommonJs: true },
  { name: 'nest12', version: 12, isCommonJs: false },
];

const REPLACED_FILES = ['app.controller.ts', 'app.controller.spec.ts', 'app.service.ts'];

/** What docs/testing.md tells users of Jest to add: Jest cannot load ES modules, so ts-jest transforms them. */
const JEST_IGNORES = ['node_modules/(?!(nestjs-redis-session|leven)/)'];

/**
 * Makes the application `<folder>/<name>`, installs the tarball, and adds a login and its test.
 *
 * @param {string} folder
 * @param {Scaffold} scaffold
 * @param {string} tarball
 */
export async function makeApplication(folder, { name, version, isCommonJs }, tarball) {
  const app = await makeScaffold(folder, name, version);
  await run(app, 'npm', [
    ...['install', '--no-audit', '--no-fund', '--prefer-offline', tarball, 'ioredis'],
    ...['passport', 'passport-local', `@nestjs/passport@${version}`],
    `@nestjs/platform-fastify@${version}`,
  ]);
  await run(app, 'npm', ['install', '--no-audit', '--no-fund', '-D', '@types/passport-local']);
  for (const file of REPLACED_FILES) await rm(join(app, 'src', file));
  await cp(join(import.meta.dirname, 'app'), join(app, 'src'), { recursive: true });
  if (isCommonJs) await adaptToCommonJs(app);
}

/**
 * Makes an application as the CLI of one version of Nest does, and installs nothing.
 *
 * @returns {Promise<string>} its folder, `<folder>/<name>`
 */
export async function makeScaffold(
  /** @type {string} */ folder,
  /** @type {string} */ name,
  /** @type {number} */ version,
) {
  await run(folder, 'npx', [
    ...['-y', `@nestjs/cli@${version}`, 'new', name],
    ...['--skip-git', '--skip-install', '--package-manager', 'npm'],
  ]);
  return join(folder, name);
}

/** Replaces the platform in `main.ts`, which is as the CLI made it but for that, and builds the application. */
export async function buildFor(
  /** @type {string} */ app,
  /** @type {'express' | 'fastify'} */ platform,
) {
  if (platform === 'fastify') await useFastifyAdapter(app);
  await run(app, 'npm', ['run', 'build']);
}

/** Lets `main.ts` create the application on Fastify. */
export async function useFastifyAdapter(/** @type {string} */ app) {
  const main = join(app, 'src', 'main.ts');
  const text = await readFile(main, 'utf8');
  await writeFile(
    main,
    `import { FastifyAdapter } from '@nestjs/platform-fastify';\n` +
      text.replace('create(AppModule)', 'create(AppModule, new FastifyAdapter())'),
  );
}

/** Runs a program in `cwd`. @throws {Error} with all that it has printed */
export async function run(
  /** @type {string} */ cwd,
  /** @type {string} */ file,
  /** @type {readonly string[]} */ args,
) {
  const { failed, all } = await execa(file, args, {
    ...{ cwd, all: true, reject: false, stdin: 'ignore' },
    // A scaffold must not see what npm tells the script of this workspace.
    env: { npm_config_local_prefix: '', npm_config_workspaces: '', NODE_OPTIONS: '' },
  });
  if (failed) throw new Error(`Cannot run ${file} ${args.join(' ')}:\n${all}`);
}

async function adaptToCommonJs(/** @type {string} */ app) {
  const test = join(app, 'src', 'login.spec.ts');
  await writeFile(test, (await readFile(test, 'utf8')).replace("module.js'", "module'"));
  await useJestSetting(app);
}

/** Adds the setting of docs/testing.md to package.json. */
async function useJestSetting(/** @type {string} */ app) {
  const file = join(app, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  manifest.jest.transformIgnorePatterns = JEST_IGNORES;
  await writeFile(file, JSON.stringify(manifest, undefined, 2));
}
