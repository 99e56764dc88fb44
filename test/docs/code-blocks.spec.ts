import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { blocksOf, PAGES } from '../support/blocks/pages.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Where the blocks would be as files. Nothing is written there. */
const FOLDER = `${ROOT}test/docs/blocks/`;

/** Files of the reader that blocks import. */
const FILES_OF_THE_READER: Readonly<Record<string, string>> = {
  'app.module.ts': 'export class AppModule {}',
  'cart.module.ts': 'export class CartModule {}',
  // The CLI of Nest sets Jest up with global names.
  'jest.ts': "declare global { const it: (typeof import('@jest/globals'))['it']; }\nexport {};",
  'one-table.ts': "export * from '../../support/postgres/one-table-store.js';",
};

/** What readers set: strict, but not each check that this repository adds. They have the built package, not its sources. */
function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const ours = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT).options;
  return { ...ours, paths: {}, noEmit: true, noPropertyAccessFromIndexSignature: false };
}

const options = compilerOptions();
const parsed = new Map<string, ts.SourceFile | undefined>();

function compile(blocks: ReadonlyMap<number, string>): string[] {
  const files = new Map(
    Object.entries(FILES_OF_THE_READER).map(([name, code]) => [`${FOLDER}${name}`, code]),
  );
  for (const [line, code] of blocks) files.set(`${FOLDER}line-${line}.ts`, `${code}export {};\n`);
  const host = ts.createCompilerHost(options);
  const ofDisk = host.getSourceFile.bind(host);
  host.fileExists = (path) => files.has(path) || ts.sys.fileExists(path);
  host.directoryExists = (path) => `${path}/` === FOLDER || ts.sys.directoryExists(path);
  host.readFile = (path) => files.get(path) ?? ts.sys.readFile(path);
  host.getSourceFile = (path, version) => {
    const code = files.get(path);
    if (code !== undefined) return ts.createSourceFile(path, code, version, true);
    if (!parsed.has(path)) parsed.set(path, ofDisk(path, version));
    return parsed.get(path);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const errors = [...files.keys()].flatMap((path) => {
    const file = program.getSourceFile(path)!;
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  });
  return errors.map((error) => {
    const { line } = ts.getLineAndCharacterOfPosition(error.file!, error.start ?? 0);
    const text = ts.flattenDiagnosticMessageText(error.messageText, ' ');
    return `${error.file!.fileName.slice(FOLDER.length)}, line ${line + 1}: ${text}`;
  });
}

describe('the code of the pages', () => {
  it.each(PAGES.filter((page) => blocksOf(page).size > 0))('compiles: %s', (page) => {
    expect(compile(blocksOf(page))).toEqual([]);
  });

  it('is a whole file in each block: a block without its imports does not compile', () => {
    const [error] = compile(new Map([[1, 'RedisSessionModule.forRoot({ store: 1 });\n']]));
    expect(error).toBe("line-1.ts, line 1: Cannot find name 'RedisSessionModule'.");
  });
});
