import { readFileSync } from 'node:fs';
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

  it('holds the build, its types, the schematic, the README and the license, and nothing else', () => {
    const others = paths.filter((path) => !/^dist\/.*(?:\.js|\.d\.ts)$/.test(path));
    expect(others.sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
      'schematics/collection.json',
      'schematics/nest-add.schema.json',
    ]);
  });

  it('holds no spec and no source map', () => {
    expect(paths.filter((path) => /spec|\.map$/.test(path))).toEqual([]);
  });

  it('has types for every entry, all in few files', () => {
    const types = paths.filter((path) => path.endsWith('.d.ts'));
    const { exports } = JSON.parse(
      readFileSync(`${ROOT}libs/redis-session/package.json`, 'utf8'),
    ) as {
      exports: Record<string, string | { types: string }>;
    };
    const entries = Object.values(exports).filter((entry) => typeof entry === 'object');
    expect(types).toEqual(expect.arrayContaining(entries.map((entry) => entry.types.slice(2))));
    expect(types.length).toBeLessThan(20);
  });

  it('has no comment in its modules: editors read those of the types', () => {
    const guard = 'dist/nest/access/session-authentication.guard.js';
    expect(readFileSync(`${ROOT}libs/redis-session/${guard}`, 'utf8')).not.toContain('/**');
  });

  it('is smaller than 1 MB and has fewer than 310 files', () => {
    expect(pack.unpackedSize).toBeLessThan(1_000_000);
    expect(paths.length).toBeLessThan(310);
  });
});
