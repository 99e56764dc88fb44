import { type Rule, type SchematicContext, type Tree } from '@angular-devkit/schematics';
import { type AddedParts, addToMain, addToModule } from './application-code.js';
import { loginFiles, loginTest } from './login-files.js';
import { addDependencies, addJestSetting, type Manifest, readManifest } from './manifest.js';

/** A flag. The CLI of Nest 11 gives the text. */
type Flag = boolean | 'true' | 'false';

/** What `nest add nestjs-redis-session` takes, see `schematics/nest-add.schema.json`. */
export interface NestAddOptions {
  /** URL of the Redis while `REDIS_URL` is not set. */
  readonly redis: string;
  readonly login: Flag;
  readonly expressSession: Flag;
  readonly tests: Flag;
  /** Folder of `app.module.ts`, such as `src`. */
  readonly sourceRoot: string;
}

interface Parts extends AddedParts {
  readonly tests: boolean;
  readonly sourceRoot: string;
}

/**
 * Adds sessions to an application: the module, and if asked for a login and its test.
 *
 * Changes `app.module.ts`, `main.ts`, `package.json` and the tests that the Nest CLI has made, and creates files in the folder
 * `auth`. An application that has the
 * module already stays as it is.
 *
 * @throws Error when there is no `app.module.ts`, or one that has no `@Module({ … })`
 */
export function nestAdd(options: NestAddOptions): Rule {
  return (tree, context) => {
    const parts: Parts = {
      ...options,
      login: isSet(options.login),
      expressSession: isSet(options.expressSession),
      tests: isSet(options.tests),
    };
    const { sourceRoot, login, tests } = parts;
    const modulePath = `${sourceRoot}/app.module.ts`;
    const code = tree.read(modulePath)?.toString();
    if (code === undefined)
      throw new Error(
        `Cannot add sessions: there is no ${modulePath}. Import RedisSessionModule.forRoot() in your root module yourself.`,
      );
    if (code.includes('RedisSessionModule')) {
      context.logger.warn(`Nothing to do: ${modulePath} has the RedisSessionModule.`);
      return;
    }
    const manifest = readManifest(tree);
    tree.overwrite(modulePath, addToModule(code, parts, manifest.importSuffix));
    if (login) createLogin(tree, parts, manifest);
    addDependencies(tree, manifest, login);
    if (tests) {
      addJestSetting(tree, manifest);
      useMemoryInTests(tree);
    }
    changeMain(tree, context, parts, manifest.nestVersion);
    context.addTask({ toConfiguration: () => INSTALL });
  };
}

function isSet(flag: Flag): boolean {
  return flag === true || flag === 'true';
}

/** The task of the devkit that runs `npm install`, or the same of another package manager. */
const INSTALL = { name: 'node-package', options: { command: 'install', quiet: true } };

function createLogin(
  tree: Tree,
  { sourceRoot, tests }: Parts,
  { importSuffix, platform }: Manifest,
): void {
  const files = {
    ...loginFiles(importSuffix),
    ...(tests ? loginTest(importSuffix, platform) : {}),
  };
  for (const [name, text] of Object.entries(files)) tree.create(`${sourceRoot}/auth/${name}`, text);
}

function changeMain(
  tree: Tree,
  context: SchematicContext,
  { sourceRoot, expressSession }: Parts,
  nestVersion: number,
): void {
  const path = `${sourceRoot}/main.ts`;
  const code = tree.read(path)?.toString() ?? '';
  if (expressSession)
    context.logger.warn(
      `Remove app.use(session(…)) and app.use(passport.session()) from ${path}, and set SESSION_SECRET to the secret that they have.`,
    );
  const changed = nestVersion >= 12 ? addToMain(code) : code;
  if (changed !== code) tree.overwrite(path, changed);
  else
    context.logger.warn(
      `${path} stays as it is. Protect forms against other sites: see docs/csrf.md of the library.`,
    );
}

const TEST = 'test/app.e2e-spec.ts';
const TESTING_MODULE = /Test\.createTestingModule\(\{[^}]*\}\)(?=\.compile\(\))/;

/** Lets the test that the Nest CLI has made run without a Redis. */
function useMemoryInTests(tree: Tree): void {
  const code = tree.read(TEST)?.toString();
  if (code === undefined || !TESTING_MODULE.test(code)) return;
  const changed = code.replace(
    TESTING_MODULE,
    (builder) => `withMemorySessions(\n      ${builder.replaceAll('\n', '\n  ')},\n    )`,
  );
  const imported = `import { withMemorySessions } from 'nestjs-redis-session/testing';\n`;
  tree.overwrite(TEST, changed.replace(/^import [^;]*@nestjs\/testing';\n/m, `$&${imported}`));
}
