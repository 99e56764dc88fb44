import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import getPort from 'get-port';
import { startBackgroundProcess } from './background-process.mjs';
import { ensurePrograms, isOnPath } from './ensure-programs.mjs';
import { waitUntilListening } from './wait-until-ready.mjs';

const VERSION = 'v1.24.0';
const MODULE = 'github.com/FerretDB/FerretDB';
const CACHE = fileURLToPath(
  new URL(`../../node_modules/.cache/ferretdb-${VERSION}/`, import.meta.url),
);
const PROGRAM = join(CACHE, 'ferretdb');
/** The commands that write: MongoDB changes a document in one atomic step, FerretDB 1 reads and writes in two. */
const WRITES = ['update', 'findandmodify', 'delete', 'insert'];

/**
 * A FerretDB on 127.0.0.1, which speaks the protocol of MongoDB. It forgets everything when it stops.
 *
 * @typedef {object} FerretServer
 * @property {number} port
 * @property {string} url - `mongodb://127.0.0.1:<port>/`
 * @property {() => Promise<void>} stop - ends it and removes its folder
 * @property {() => Promise<void>} end - breaks off connections and ends it
 * @property {() => Promise<void>} start - starts it again after `end`, on the same port with the same data
 */

/**
 * Starts a FerretDB, which is built at the first time, and waits until it accepts connections.
 *
 * @returns {Promise<FerretServer>}
 */
export async function startFerretServer() {
  await buildFerretDb();
  const port = await getPort({ host: '127.0.0.1' });
  const folder = await mkdtemp(join(tmpdir(), 'ferretdb-'));
  const start = async () => {
    const started = startBackgroundProcess(PROGRAM, [
      ...['--handler=sqlite', `--sqlite-url=file:${folder}/`, `--state-dir=${folder}`],
      ...[`--listen-addr=127.0.0.1:${port}`, '--debug-addr=-', '--telemetry=disable'],
      '--log-level=ERROR',
    ]);
    await waitUntilListening('FerretDB', started, port);
    return started;
  };
  let server = await start();
  const end = () => server.kill('SIGKILL');
  return {
    port,
    url: `mongodb://127.0.0.1:${port}/`,
    end,
    start: async () => {
      server = await start();
    },
    stop: async () => {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Builds the program from the Go module proxy, unless that was done before: about two minutes and 250 MB. */
export async function buildFerretDb() {
  if (existsSync(PROGRAM)) return;
  if (!isOnPath('go') && isOnPath('apt-get'))
    throw new Error(
      'Cannot build FerretDB: it needs Go 1.22 or newer, which Debian does not have. Install Go, or set MONGODB_URL to a server of yours.',
    );
  await ensurePrograms(['go']);
  console.log(`> go build ${MODULE}@${VERSION}`);
  const { stdout } = await execa('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`]);
  await mkdir(CACHE, { recursive: true });
  const source = await mkdtemp(join(CACHE, 'source-'));
  try {
    await cp(JSON.parse(stdout).Dir, source, { recursive: true });
    // The files of the module cache are read-only.
    await execa('chmod', ['-R', 'u+w', source]);
    await writeFile(join(source, 'build/version/version.txt'), VERSION);
    await makeWritesAtomic(join(source, 'internal/handler'));
    const built = join(source, 'built');
    await execa('go', ['build', '-o', built, './cmd/ferretdb'], {
      cwd: source,
      env: { CGO_ENABLED: '0' },
    });
    await rename(built, PROGRAM);
  } finally {
    await rm(source, { recursive: true, force: true });
  }
}

/** Has the commands that write run one after the other. */
async function makeWritesAtomic(/** @type {string} */ folder) {
  const lock = 'package handler\n\nimport "sync"\n\nvar oneWrite sync.Mutex\n';
  await writeFile(join(folder, 'one_write.go'), lock);
  for (const name of WRITES) {
    const file = join(folder, `msg_${name}.go`);
    const before = await readFile(file, 'utf8');
    const after = before.replace(
      /^func \(h \*Handler\) Msg\w+\(.*\{$/m,
      '$&\n\toneWrite.Lock()\n\tdefer oneWrite.Unlock()',
    );
    if (after === before)
      throw new Error(`Cannot build FerretDB: ${file} is not that of ${VERSION}.`);
    await writeFile(file, after);
  }
}
