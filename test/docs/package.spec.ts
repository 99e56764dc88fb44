import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Of `npm pack --json`. */
interface Pack {
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

describe('the package', () => {
  let pack: Pack;
  let paths: string[];

  beforeAll(async () => {
    const command = ['pack', '--dry-run', '--json', '--silent', '-w', 'nestjs-redis-session'];
    const { stdout } = await execa('npm', command, { cwd: ROOT });
    [pack] = JSON.parse(stdout) as [Pack];
    paths = pack.files.map(({ path }) => path);
  });

  it('holds the build, its types, the README and the license, and nothing else', () => {
    const others = paths.filter((path) => !/^dist\/.*(?:\.js|\.d\.ts)$/.test(path));
    expect(others.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
  });

  it('holds no spec and no source map', () => {
    expect(paths.filter((path) => /spec|\.map$/.test(path))).toEqual([]);
  });

  it('has types beside every module', () => {
    const modules = paths.filter((path) => path.endsWith('.js'));
    const missing = modules.filter((path) => !paths.includes(path.replace(/js$/, 'd.ts')));
    expect(modules.length).toBeGreaterThan(100);
    expect(missing).toEqual([]);
  });

  it('is smaller than 1.6 MB and has fewer than 600 files', () => {
    expect(pack.unpackedSize).toBeLessThan(1_600_000);
    expect(paths.length).toBeLessThan(600);
  });
});
