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

const textOf = (path: string): string => readFileSync(`${ROOT}libs/redis-session/${path}`, 'utf8');

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

  it('shows options with types and comments of their own, not with what zod makes of them', () => {
    const types = paths.filter((path) => path.endsWith('.d.ts')).map(textOf);
    expect(types.filter((text) => text.includes('zod'))).toEqual([]);
    expect(types.join()).toMatch(
      /\*\/\s+readonly maxInactiveIntervalSeconds\?: number \| undefined;/,
    );
  });

  it('has types that Nest 11 has, too, for applications that check those of libraries', () => {
    const types = paths.filter((path) => path.endsWith('.d.ts')).map(textOf);
    const ofNest12 = /nestjs\/common\/internal|ParameterDecoratorOptions/;
    expect(types.filter((text) => ofNest12.test(text))).toEqual([]);
  });

  it('has no comment in its modules: editors read those of the types', () => {
    expect(textOf('dist/index.d.ts')).toContain('/**');
    // The schematic writes comments into applications.
    const modules = paths.filter((path) => /^dist\/(?!schematics).*\.js$/.test(path));
    expect(modules.filter((path) => /^ *\/\*\*/m.test(textOf(path)))).toEqual([]);
  });

  it('keeps the names of classes and methods, and short lines, for stack traces', () => {
    const lines = paths
      .filter((path) => path.endsWith('.js'))
      .flatMap((path) => textOf(path).split('\n'));
    const isThere = (part: string): boolean => lines.some((line) => line.includes(part));
    expect(isThere('class RedisSessionRepository')).toBe(true);
    expect(isThere('async renewSession(')).toBe(true);
    expect(lines.filter((line) => line.length > 500)).toEqual([]);
  });

  it('imports nothing but what it depends on', () => {
    const { dependencies, peerDependencies } = JSON.parse(textOf('package.json')) as Record<
      'dependencies' | 'peerDependencies',
      Record<string, string>
    >;
    const known = Object.keys({ ...dependencies, ...peerDependencies });
    const imported = paths
      .filter((path) => path.endsWith('.js'))
      .flatMap((path) => [...textOf(path).matchAll(/(?:import|from) ?"([^".][^"]*)"/g)])
      .map(([, specifier = '']) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier)
      .filter((name) => !name.startsWith('node:'));
    expect(imported).toContain('ioredis');
    expect([...new Set(imported)].filter((name) => !known.includes(name)).sort()).toEqual([]);
  });

  it('is smaller than 0.8 MB and has fewer than 60 files', () => {
    expect(pack.unpackedSize).toBeLessThan(800_000);
    expect(paths.length).toBeLessThan(60);
  });
});
