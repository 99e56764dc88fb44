// Makes the build small: one declaration file per entry and a few that entries share, and JavaScript and Lua without comments.
// The declarations keep them. Modules stay apart, so a stack trace names the file of the sources.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import ts from 'typescript';

const LIB = fileURLToPath(new URL('../libs/redis-session/', import.meta.url));
const DIST = join(LIB, 'dist');
const { exports } = JSON.parse(readFileSync(join(LIB, 'package.json'), 'utf8'));
const built = readdirSync(DIST, { recursive: true }).map((path) => join(DIST, path));
const declarations = built.filter((path) => path.endsWith('.d.ts'));

const rolled = await rollUp();
for (const path of declarations) rmSync(path);
mkdirSync(join(DIST, 'types'), { recursive: true });
for (const { fileName, code } of rolled) writeFileSync(join(DIST, fileName), code);
for (const path of built.filter((each) => each.endsWith('.js'))) shorten(path);
shortenScripts(join(DIST, 'redis', 'lua', 'scripts.generated.js'));

/** An internal type that is part of a public one needs no export of its own: editors show it all the same. */
function report({ message }) {
  if (!message.includes('no public re-export')) throw new Error(message);
}

async function rollUp() {
  const entries = Object.values(exports).flatMap(({ types }) => types ?? []);
  const input = Object.fromEntries(
    entries.map((path) => [
      relative(DIST, join(LIB, path)).replace(/\.d\.ts$/, ''),
      join(LIB, path),
    ]),
  );
  const external = (id) => !/^[./]/.test(id);
  const bundle = await rollup({ input, plugins: [dts()], external, onwarn: report });
  const { output } = await bundle.generate({
    chunkFileNames: ({ name }) => `types/${name.replace(/\.d$/, '')}.d.ts`,
    entryFileNames: '[name].d.ts',
    hoistTransitiveImports: false,
  });
  await bundle.close();
  return output;
}

/** Removes comments, and most of the indentation outside of texts. */
function shorten(path) {
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      removeComments: true,
      target: ts.ScriptTarget.ESNext,
    },
  });
  const linesOfTexts = linesInTemplates(
    ts.createSourceFile(path, outputText, ts.ScriptTarget.ESNext),
  );
  const lines = outputText
    .split('\n')
    .map((line, number) =>
      linesOfTexts.has(number)
        ? line
        : line.replace(/^ +/, (spaces) => ' '.repeat(spaces.length / 4)),
    );
  writeFileSync(path, lines.join('\n'));
}

/** Removes the header of each Lua script, and its comments that have a line of their own. */
function shortenScripts(path) {
  const text = readFileSync(path, 'utf8').replace(/(?<=lua: )"(?:[^"\\]|\\.)*"/g, (literal) => {
    const lua = JSON.parse(literal).replace(/^--\[\[[^]*?\]\]\n/gm, '');
    return JSON.stringify(lua.replace(/^ *--.*\n/gm, ''));
  });
  writeFileSync(path, text);
}

/** The numbers of the lines that begin inside of a template literal. */
function linesInTemplates(file) {
  const numbers = new Set();
  const visit = (node) => {
    if (ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      const first = file.getLineAndCharacterOfPosition(node.pos).line;
      const last = file.getLineAndCharacterOfPosition(node.end).line;
      for (let number = first + 1; number <= last; number++) numbers.add(number);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return numbers;
}
