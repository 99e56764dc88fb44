import { chownSync, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import getPort from 'get-port';
import { startBackgroundProcess } from './background-process.mjs';
import { postgresFolders } from './ensure-programs.mjs';
import { waitUntilReady } from './wait-until-ready.mjs';

/**
 * A PostgreSQL of our own on 127.0.0.1, that forgets everything when it stops.
 *
 * @typedef {object} PostgresServer
 * @property {number} port
 * @property {string} url - `postgres://postgres@127.0.0.1:<port>/postgres`
 * @property {() => Promise<void>} stop - breaks off connections, ends it and removes its folder
 * @property {() => Promise<void>} end - breaks off connections and ends it
 * @property {() => Promise<void>} start - starts it again after `end`, on the same port with the same data
 */

/**
 * Starts a PostgreSQL and waits until it accepts connections. It refuses to run as root: then it runs as the user
 * `postgres`, which its package has made.
 *
 * @param {{ args?: readonly string[], port?: number }} [options] - without `port` on a free one
 * @returns {Promise<PostgresServer>}
 */
export async function startPostgresServer({ args = [], port } = {}) {
  const usedPort = port ?? (await getPort({ host: '127.0.0.1' }));
  const programs = findPrograms();
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  const user = await unprivilegedUser();
  if (user) chownSync(folder, user.uid, user.gid);
  const command = (/** @type {string} */ name, /** @type {readonly string[]} */ rest) =>
    /** @type {[string, string[]]} */ (
      user
        ? [
            'setpriv',
            [
              `--reuid=${user.uid}`,
              `--regid=${user.gid}`,
              '--clear-groups',
              join(programs, name),
              ...rest,
            ],
          ]
        : [join(programs, name), [...rest]]
    );
  const data = join(folder, 'data');
  await execa(
    ...command('initdb', [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-sync',
      '--locale=C',
    ]),
  );
  const options = [
    '-c',
    'fsync=off',
    '-c',
    'full_page_writes=off',
    '-c',
    'listen_addresses=127.0.0.1',
  ];
  const start = async () => {
    const started = startBackgroundProcess(
      ...command('postgres', [
        '-D',
        data,
        '-k',
        folder,
        '-p',
        String(usedPort),
        ...options,
        ...args,
      ]),
    );
    await waitUntilReady('postgres', started, () => accepts(programs, usedPort));
    return started;
  };
  let server = await start();
  const end = async () => {
    // SIGINT: a fast shutdown, which does not wait for clients to leave.
    await server.kill('SIGINT');
    await server.exited;
  };
  return {
    port: usedPort,
    url: `postgres://postgres@127.0.0.1:${usedPort}/postgres`,
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

/** @returns {string} the folder of `postgres` and `initdb` @throws {Error} */
function findPrograms() {
  const folders = [...postgresFolders(), ...(process.env.PATH ?? '').split(delimiter)];
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')));
  if (found) return found;
  throw new Error(
    'Cannot start PostgreSQL: it is not installed. Run `node tools/ensure-servers.mjs postgres`.',
  );
}

/** @returns {Promise<{ uid: number, gid: number } | undefined>} undefined = we are no root */
async function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (/** @type {string} */ flag) =>
    Number((await execa('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/** @returns {Promise<boolean>} */
async function accepts(/** @type {string} */ programs, /** @type {number} */ port) {
  const { exitCode } = await execa(
    join(programs, 'pg_isready'),
    ['-q', '-h', '127.0.0.1', '-p', String(port)],
    { reject: false },
  );
  return exitCode === 0;
}
