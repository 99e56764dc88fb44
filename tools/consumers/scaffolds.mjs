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
