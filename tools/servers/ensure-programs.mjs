import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

/** Which package brings a program, where the package is not called like the program. */
const PACKAGES = {
  'redis-server': { apt: ['redis-server', 'redis-tools'], brew: ['redis'] },
  'redis-cli': { apt: ['redis-tools'], brew: ['redis'] },
  // Found where Debian keeps it, which is not on the PATH.
  postgres: { apt: ['postgresql'], brew: ['postgresql'] },
  javac: { apt: ['openjdk-17-jdk-headless'], brew: ['openjdk@17'] },
  mvn: { apt: ['maven'], brew: ['maven'] },
  nginx: { apt: ['nginx-light'], brew: ['nginx'] },
  cargo: { apt: ['cargo'], brew: ['rust'] },
  cc: { apt: ['gcc', 'libc6-dev'], brew: ['gcc'] },
};

/**
 * Installs those of the programs that are missing, and says what it does; silent when none is.
 *
 * @param {readonly string[]} programs - names as on the command line, such as `redis-server`
 * @returns {Promise<void>}
 * @throws {Error} when there is no package manager that we may use, or a program is still missing afterwards
 */
export async function ensurePrograms(programs) {
  const missing = programs.filter((program) => !isOnPath(program));
  if (missing.length === 0) return;
  await install(missing);
  const stillMissing = missing.filter((program) => !isOnPath(program));
  if (stillMissing.length > 0) {
    throw new Error(
      `Cannot find ${stillMissing.join(', ')} after the installation: check the PATH.`,
    );
  }
}

/** @returns {boolean} whether the program can be started; Debian keeps nginx where ordinary users do not look */
export function isOnPath(/** @type {string} */ program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', ...postgresFolders()];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @returns {readonly string[]} the newest first */
export function postgresFolders() {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base) : [];
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(base, version, 'bin'));
}

async function install(/** @type {readonly string[]} */ programs) {
  if (isOnPath('apt-get') && (isRoot() || isOnPath('sudo'))) {
    await run(['apt-get', 'update', '-qq']);
    const packages = packagesOf(programs, 'apt');
    await run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages]);
  } else if (isOnPath('brew')) {
    await execa('brew', ['install', ...packagesOf(programs, 'brew')], { stdio: 'inherit' });
  } else {
    throw new Error(
      `Cannot install ${programs.join(', ')}: neither apt-get (as root or with sudo) nor brew is here. ` +
        'Install them yourself and start again.',
    );
  }
}

/** Runs one apt-get command, by sudo where we are not root; its output is shown only when it fails. */
async function run(/** @type {string[]} */ command) {
  const [file = '', ...args] = isRoot()
    ? command
    : ['sudo', '--preserve-env=DEBIAN_FRONTEND', ...command];
  console.log(`> ${file} ${args.join(' ')}`);
  const result = await execa(file, args, {
    all: true,
    reject: false,
    stdin: isRoot() ? 'ignore' : 'inherit',
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (result.failed) throw new Error(`Cannot run ${file} ${args.join(' ')}: ${result.all}`);
}

function packagesOf(
  /** @type {readonly string[]} */ programs,
  /** @type {'apt' | 'brew'} */ manager,
) {
  return programs.flatMap((program) => PACKAGES[program]?.[manager] ?? [program]);
}

function isRoot() {
  return process.getuid?.() === 0;
}
