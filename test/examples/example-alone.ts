import { cp, mkdir, mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { folderOf } from './start-example.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a test reads of a package.json. */
interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly gypfile?: boolean;
  readonly scripts: Readonly<Record<string, string>>;
  readonly stackblitz?: object;
}

export async function packageOf(folder: string): Promise<Package> {
  const text = await readFile(join(folder, 'package.json'), 'utf8');
  const given = JSON.parse(text) as Partial<Package>;
  return { dependencies: {}, devDependencies: {}, scripts: {}, ...given };
}

/** Copies an example out of the repository. The copy finds only the packages that its package.json names. */
export async function copyAlone(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const filter = (path: string): boolean => !['node_modules', 'dist'].includes(basename(path));
  await cp(folderOf(name), folder, { recursive: true, filter });
  const { dependencies, devDependencies } = await packageOf(folder);
  for (const dependency of ['.bin/tsc', ...Object.keys({ ...dependencies, ...devDependencies })]) {
    const path = join(folder, 'node_modules', dependency);
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(ROOT, 'node_modules', dependency), path);
  }
  return folder;
}

/** The folders of all packages that an example is installed with, but for its own. */
export async function installedPathsOf(name: string): Promise<string[]> {
  const command = ['ls', '-w', `example-${name}`, '--all', '--parseable'];
  const { stdout } = await execa('npm', command, { cwd: ROOT });
  return stdout.split('\n').filter((path) => path.includes('/node_modules/'));
}
