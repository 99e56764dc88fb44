import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { ensurePrograms } from '../tools/servers/ensure-programs.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BENCH = fileURLToPath(new URL('.', import.meta.url));

/**
 * Makes sure that everything is there: the servers, the peers' packages, and the library, built from its present source.
 *
 * @param {{ withLoad: boolean }} needs - without load no load generator
 */
export async function prepare({ withLoad }) {
  await ensurePrograms(withLoad ? ['redis-server', 'postgres', 'wrk'] : ['redis-server']);
  if (!(await areInstalled())) await run('npm', ['ci', '--prefix', BENCH, '--no-workspaces']);
  await run('npm', ['run', '--silent', 'build:lib']);
}

/** Whether the installed packages are those of the lock file: npm writes its own copy of it last. */
async function areInstalled() {
  const [wanted, installed] = await Promise.all(
    ['package-lock.json', 'node_modules/.package-lock.json'].map((path) =>
      stat(BENCH + path).catch(() => undefined),
    ),
  );
  return installed !== undefined && wanted !== undefined && installed.mtimeMs >= wanted.mtimeMs;
}

async function run(command, args) {
  console.log(`> ${command} ${args.join(' ')}`);
  await execa(command, args, { cwd: ROOT, stdio: 'inherit' });
}
