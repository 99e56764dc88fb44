import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const LIB = fileURLToPath(new URL('../../libs/redis-session/', import.meta.url));
const { exports } = JSON.parse(readFileSync(`${LIB}package.json`, 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};
const entries = Object.entries(exports).flatMap(([name, entry]) =>
  typeof entry === 'string' ? [] : [{ name, path: `${LIB}${entry.types.slice(2)}` }],
);
const options = { module: ts.ModuleKind.NodeNext, strict: true };
const program = ts.createProgram(
  entries.map(({ path }) => path),
  options,
);
const checker = program.getTypeChecker();

/** What an entry exports. */
function symbolsOf(path: string): ts.Symbol[] {
  const symbols = checker.getExportsOfModule(
    checker.getSymbolAtLocation(program.getSourceFile(path)!)!,
  );
  return symbols.map((symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
  );
}

describe('the reference', () => {
  it.each(entries)('has a text for every export of $name', ({ path }) => {
    const symbols = symbolsOf(path);
    expect(symbols.length).toBeGreaterThan(0);
    const silent = symbols.filter((each) => each.getDocumentationComment(checker).length === 0);
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});

describe('the built declarations', () => {
  it.each([
    ['.', 'RedisSessionModuleOptions'],
    ['.', 'SecurityOptions'],
    ['.', 'IndexedSessionOptions'],
    ['./http', 'CookieOptions'],
    ['./express-session', 'ConnectSessionOptions'],
  ])('tell editors what each option does: %s, %s', (entry, name) => {
    const { path } = entries.find((each) => each.name === entry)!;
    const type = symbolsOf(path).find((symbol) => symbol.name === name)!;
    const options = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(type));
    expect(options.length).toBeGreaterThan(5);
    const silent = options.filter((option) => option.getDocumentationComment(checker).length === 0);
    expect(silent.map((option) => option.name)).toEqual([]);
  });
});
