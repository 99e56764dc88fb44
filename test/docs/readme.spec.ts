import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import ts from 'typescript';

const ROOT = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', ROOT), 'utf8');

describe('README', () => {
  it('names only test files that exist', () => {
    const files = [...readme.matchAll(/`((?:test|http)\/[\w/.-]+\.ts)`/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const path = file.startsWith('http/') ? `libs/redis-session/src/${file}` : file;
      expect(() => readFileSync(new URL(path, ROOT))).not.toThrow();
    }
  });
});

describe('docs/options.md', () => {
  it('says what the schemas of the options say', async () => {
    await execa('node', ['tools/option-reference.mjs', '--check'], { cwd: ROOT });
  }, 120_000);
});

describe('the built declarations', () => {
  it.each([
    ['index.d.ts', 'RedisSessionModuleOptions'],
    ['index.d.ts', 'SecurityOptions'],
    ['index.d.ts', 'IndexedSessionOptions'],
    ['http.d.ts', 'CookieOptions'],
    ['express-session/index.d.ts', 'ConnectSessionOptions'],
  ])('tell editors what each option does: %s, %s', (entry, name) => {
    const path = fileURLToPath(new URL(`libs/redis-session/dist/${entry}`, ROOT));
    const program = ts.createProgram([path], { module: ts.ModuleKind.NodeNext, strict: true });
    const checker = program.getTypeChecker();
    const file = checker.getSymbolAtLocation(program.getSourceFile(path)!)!;
    const symbol = checker.getExportsOfModule(file).find((each) => each.name === name)!;
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const declared = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    const type = checker.getDeclaredTypeOfSymbol(declared);
    const options = checker.getPropertiesOfType(type);
    expect(options.length).toBeGreaterThan(5);
    const silent = options.filter((option) => option.getDocumentationComment(checker).length === 0);
    expect(silent.map((option) => option.name)).toEqual([]);
  });
});
