import assert from 'node:assert/strict';
import { cp, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { URL, URLSearchParams } from 'node:url';
import getPort from 'get-port';
import { startBackgroundProcess } from '../servers/background-process.mjs';
import { waitUntilReady } from '../servers/wait-until-ready.mjs';
import { run } from './scaffolds.mjs';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'minimal');

/**
 * Does what StackBlitz does with a copy of examples/minimal: installs what its package.json names, with nothing that must be
 * compiled, and runs its start command. It needs no server besides.
 *
 * @param {string} folder - it holds the tarball
 * @param {string} tarball - its name
 */
export async function checkMinimal(folder, tarball) {
  const app = join(folder, 'minimal');
  const filter = (/** @type {string} */ path) => !['node_modules', 'dist'].includes(basename(path));
  await cp(EXAMPLE, app, { recursive: true, filter });
  await cp(join(folder, tarball), join(app, tarball));
  await run(app, 'npm', ['install', '--no-audit', '--no-fund', `./${tarball}`]);
  await findsNothingToCompile(app);
  const { stackblitz } = JSON.parse(await readFile(join(app, 'package.json'), 'utf8'));
  await startAndLogIn(app, stackblitz.startCommand);
}

/** A browser runs no native modules and no install scripts. */
async function findsNothingToCompile(/** @type {string} */ app) {
  const { packages } = JSON.parse(await readFile(join(app, 'package-lock.json'), 'utf8'));
  const scripted = Object.keys(packages).filter((path) => packages[path].hasInstallScript);
  assert.deepEqual(scripted, [], 'packages with an install script');
  const files = await readdir(join(app, 'node_modules'), { recursive: true });
  const native = files.filter((file) => /\.node$|binding\.gyp$/.test(file));
  assert.deepEqual(native, [], 'native modules');
}

async function startAndLogIn(/** @type {string} */ app, /** @type {string} */ startCommand) {
  const port = await getPort({ host: '127.0.0.1' });
  const url = `http://127.0.0.1:${port}`;
  const [file = '', ...args] = startCommand.split(' ');
  const server = startBackgroundProcess(file, args, { cwd: app, env: { PORT: String(port) } });
  try {
    const isReady = () => fetch(new URL('/login', url)).then(({ ok }) => ok);
    await waitUntilReady(`${startCommand} of examples/minimal`, server, isReady, 120_000);
    const body = new URLSearchParams({ username: 'kim', password: 'kim' });
    const login = await fetch(new URL('/login', url), { method: 'POST', body });
    assert.equal(login.status, 201, 'the login is answered');
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const members = await fetch(new URL('/members', url), { headers: { cookie } });
    assert.match(await members.text(), /Hello kim\. Visit 1 /);
  } finally {
    // npm runs a shell, which does not hand signals on.
    try {
      process.kill(-server.pid, 'SIGTERM');
    } catch {
      // It has ended.
    }
    await server.exited;
  }
}
