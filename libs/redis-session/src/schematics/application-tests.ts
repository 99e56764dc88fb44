import { type Tree } from '@angular-devkit/schematics';

const TEST = 'test/app.e2e-spec.ts';
const TESTING_MODULE = /Test\.createTestingModule\(\{[^}]*\}\)(?=\.compile\(\))/;

/** Lets the test that the Nest CLI has made run without a Redis. */
export function useMemoryInTests(tree: Tree): void {
  const code = tree.read(TEST)?.toString();
  if (code === undefined || !TESTING_MODULE.test(code)) return;
  const changed = code.replace(
    TESTING_MODULE,
    (builder) => `withMemorySessions(\n      ${builder.replaceAll('\n', '\n  ')},\n    )`,
  );
  const imported = `import { withMemorySessions } from 'nestjs-redis-session/testing';\n`;
  tree.overwrite(TEST, changed.replace(/^import [^;]*@nestjs\/testing';\n/m, `$&${imported}`));
}
