// Makes dist/, which is published, of build/, which has one file per source. It has one file per entry and a few that
// entries share, of JavaScript and of declarations alike. JavaScript loses comments and blanks, and no name is shortened: a
// stack trace still names functions and classes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const LIB = fileURLToPath(new URL('../libs/redis-session/', import.meta.url));
const DIST = join(LIB, 'dist');
const { bin, exports } = JSON.parse(readFileSync(join(LIB, 'package.json'), 'utf8'));
const { schematics } = JSON.parse(readFileSync(join(LIB, 'schematics/collection.json'), 'utf8'));

const declarations = await bundle(
  Object.values(exports).flatMap(({ types }) => types ?? []),
  { chunks: 'types', plugins: [dts(), { name: 'small', renderChunk: smallDeclarations }] },
);
const modules = await bundle(
  [
    ...Object.values(exports).flatMap((entry) => entry.default ?? []),
    ...Object.values(bin),
    ...Object.values(schematics).map(({ factory }) => factory.replace(/^\.\.(.*)#.*/, '.$1')),
  ],
  { chunks: 'shared', plugins: [{ name: 'small', resolveId: tslib, renderChunk: withoutBlanks }] },
);

for (const { fileName, code } of [...declarations, ...modules]) {
  mkdirSync(dirname(join(DIST, fileName)), { recursive: true });
  writeFileSync(join(DIST, fileName), code);
}

/** The files of the entries at `paths`, and of what several of them share. */
async function bundle(paths, { chunks, plugins }) {
  const [extension] = /(\.d\.ts|\.js)$/.exec(paths[0]);
  const input = Object.fromEntries(
    paths.map((path) => [
      relative(DIST, join(LIB, path)).slice(0, -extension.length),
      join(LIB, path.replace('dist', 'build')),
    ]),
  );
  const external = (id) => id !== 'tslib' && !/^[./]/.test(id);
  const bundled = await rollup({ input, plugins, external, onwarn: report });
  const { output } = await bundled.generate({
    chunkFileNames: ({ name }) => `${chunks}/${name.replace(/\.d$/, '')}${extension}`,
    entryFileNames: `[name]${extension}`,
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  });
  await bundled.close();
  return output;
}

/** An internal type that is part of a public one needs no export of its own: editors show it all the same. */
function report({ message }) {
  if (!message.includes('no public re-export')) throw new Error(message);
}

/** TypeScript's helpers for decorators become part of the build, each once. */
function tslib(id) {
  return id === 'tslib' ? fileURLToPath(import.meta.resolve('tslib/tslib.es6.mjs')) : null;
}

/** Nobody outside can use a private member: its comment stays in the sources, and that it is read-only. */
function smallDeclarations(code) {
  return code
    .replace(/ *\/\*\*(?:(?!\*\/)[^])*\*\/\n(?= *private )/g, '')
    .replace(/^( *private (?:static )?)readonly /gm, '$1')
    .replace(/^(?: +(?=\*)|\n)/gm, '')
    .replace(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4));
}

/** A field that the constructor sets needs no line of its own, as TypeScript writes for `constructor(readonly name: string)`. */
function withoutDeclaredFields(code) {
  const classes = code.split(/^(?=(?:\S.* )?class\b)/m).map((each) => {
    const [constructor = ''] = /^ {4}constructor\([^]*?^ {4}\}/m.exec(each) ?? [];
    const isSet = (name) => constructor.includes(`\n        this.${name} = `);
    return each.replace(/^ {4}(\w+);\n/gm, (field, name) => (isSet(name) ? '' : field));
  });
  return classes.join('');
}

/** Lines stay short, because Node prints the line at which an uncaught error was thrown. */
async function withoutBlanks(code) {
  const options = { format: 'esm', target: 'es2023', minifySyntax: true, minifyWhitespace: true };
  const result = await transform(withoutDeclaredFields(code), {
    ...options,
    lineLimit: 240,
    legalComments: 'none',
  });
  return { code: result.code, map: null };
}
