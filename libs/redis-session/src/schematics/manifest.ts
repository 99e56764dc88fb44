import { type Tree } from '@angular-devkit/schematics';

/** Packages that Jest must transform, because it cannot require ES modules before Node.js 24.9. */
const JEST_IGNORES = ['node_modules/(?!(nestjs-redis-session|leven)/)'];

interface JestSettings {
  transformIgnorePatterns?: readonly string[];
}

interface PackageJson {
  type?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  jest?: JestSettings;
}

/** What `package.json` tells of an application. */
export interface Manifest {
  readonly json: PackageJson;
  readonly nestVersion: number;
  /** Of imported files: `.js` in ES modules, else nothing. */
  readonly importSuffix: string;
  readonly platform: 'express' | 'fastify';
}

/** Reads `package.json`. @throws Error when it has no Nest */
export function readManifest(tree: Tree): Manifest {
  const json = JSON.parse(tree.read('package.json')?.toString() ?? '{}') as PackageJson;
  const [nestVersion] = /\d+/.exec(json.dependencies?.['@nestjs/core'] ?? '') ?? [];
  if (nestVersion === undefined)
    throw new Error(
      'Cannot add sessions: package.json has no @nestjs/core. Run the command in the folder of a Nest application.',
    );
  const importSuffix = json.type === 'module' ? '.js' : '';
  const { '@nestjs/platform-express': express, '@nestjs/platform-fastify': fastify } =
    json.dependencies ?? {};
  const platform = fastify !== undefined && express === undefined ? 'fastify' : 'express';
  return { json, nestVersion: Number(nestVersion), importSuffix, platform };
}

/** Adds the packages that are missing; versions that the application has stay. */
export function addDependencies(
  tree: Tree,
  { json, nestVersion }: Manifest,
  hasLogin: boolean,
): void {
  json.dependencies = sorted({
    '@nestjs/passport': `^${nestVersion}.0.0`,
    ioredis: '^6.0.0',
    passport: '^0.7.0',
    ...(hasLogin ? { 'passport-local': '^1.0.0' } : {}),
    ...json.dependencies,
  });
  json.devDependencies = sorted({
    ...(hasLogin ? { '@types/passport-local': '^1.0.38' } : {}),
    ...json.devDependencies,
  });
  writeJson(tree, 'package.json', json);
}

/** Lets Jest transform the library, in unit tests and in those of `test/`. Vitest needs nothing. */
export function addJestSetting(tree: Tree, { json }: Manifest): void {
  if (!json.jest) return;
  json.jest.transformIgnorePatterns ??= JEST_IGNORES;
  writeJson(tree, 'package.json', json);
  const path = 'test/jest-e2e.json';
  const text = tree.read(path)?.toString();
  if (text === undefined) return;
  writeJson(tree, path, { transformIgnorePatterns: JEST_IGNORES, ...(JSON.parse(text) as object) });
}

function writeJson(tree: Tree, path: string, json: object): void {
  tree.overwrite(path, `${JSON.stringify(json, undefined, 2)}\n`);
}

function sorted(versions: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1)));
}
