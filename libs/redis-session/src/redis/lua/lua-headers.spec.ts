import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node, parse } from 'luaparse';
import * as scripts from './scripts.generated.js';

const GLOBALS = ['redis', 'KEYS', 'ARGV', 'tonumber', 'string', 'table', 'math', 'unpack'];
const folder = join(process.cwd(), 'libs/redis-session/src/redis/lua');
const files = readdirSync(folder).filter((file) => file.endsWith('.lua'));

/** All nodes of a syntax tree. */
function nodesOf(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf);
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(nodesOf);
  return 'type' in value ? [value as Node, ...inner] : inner;
}

function isNamed(node: Node, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}

/** The number that a literal stands for, negative ones included. */
function numberOf(node: Node | undefined): number | undefined {
  if (node?.type === 'NumericLiteral') return node.value;
  if (node?.type !== 'UnaryExpression' || node.operator !== '-') return undefined;
  const value = numberOf(node.argument);
  return value === undefined ? undefined : -value;
}

/** Numbers in `KEYS[n]` or `ARGV[n]`. */
function indexesOf(nodes: Node[], table: 'KEYS' | 'ARGV'): number[] {
  return nodes.flatMap((node) => {
    if (node.type !== 'IndexExpression' || !isNamed(node.base, table)) return [];
    return numberOf(node.index) ?? [];
  });
}

/** The outcomes that the script returns, which its functions with several results do not, and writes first into a table that it returns. */
function outcomesOf(nodes: Node[]): number[] {
  const returned = nodes.flatMap((node) =>
    node.type === 'ReturnStatement' && node.arguments.length === 1 ? node.arguments : [],
  );
  const tables = nodes.filter((node) => node.type === 'TableConstructorExpression');
  const firsts = tables.flatMap((table) => {
    const [first] = table.fields;
    return first?.type === 'TableValue' ? (numberOf(first.value) ?? []) : [];
  });
  return [...firsts, ...returned.flatMap((node) => numberOf(node) ?? [])];
}

function numbersIn(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map(([, digits]) => Number(digits));
}

it('there are scripts, and each is embedded as it is', () => {
  expect(files.sort()).toEqual([
    'addToIndex-1.lua',
    'admitToIndex-2.lua',
    'claimDue-1.lua',
    'deleteSession-1.lua',
    'dropConsumers-1.lua',
    'endSession-4.lua',
    'loadIndexed-n.lua',
    'loadSessions-n.lua',
    'pageOfIndex-1.lua',
    'replaceBlob-1.lua',
    'saveIndexed-6.lua',
    'saveSession-3.lua',
    'scheduleInBuckets-4.lua',
  ]);
  expect({ ...scripts }).toEqual(
    Object.fromEntries(
      files.map((file) => {
        const [name = '', numberOfKeys] = file.slice(0, -'.lua'.length).split('-');
        const lua = readFileSync(join(folder, file), 'utf8');
        return [name, numberOfKeys === 'n' ? { lua } : { numberOfKeys: Number(numberOfKeys), lua }];
      }),
    ),
  );
});

describe.each(files)('%s', (file) => {
  const source = readFileSync(join(folder, file), 'utf8');
  const [header = '', code = ''] = source.split(/(?<=\n)\]\]\n/);
  const [input = '', output = ''] = header
    .split('Output')
    .map((part) => part.split('Input').at(-1));
  const tree = parse(source, { luaVersion: '5.1', scope: true });
  const nodes = nodesOf(tree.body);

  it('uses no global variable but those of Redis scripts', () => {
    const names = (tree as typeof tree & { globals: { name: string }[] }).globals.map(
      (g) => g.name,
    );
    expect(names).toContain('redis');
    expect(GLOBALS).toEqual(expect.arrayContaining(names));
  });

  it('takes as many keys as its name says, and declares each', () => {
    if (file.endsWith('-n.lua')) {
      expect(input).toMatch(/KEYS\[1 \.\.\.\]/);
      return;
    }
    const declared = numbersIn(input, /KEYS\[(\d+)\]/g);
    expect(Math.max(...declared)).toBe(Number(/-(\d+)\.lua$/.exec(file)?.[1]));
    expect(new Set(declared)).toEqual(new Set(indexesOf(nodes, 'KEYS')));
  });

  it('declares each argument that it uses, and uses each that it declares', () => {
    const declared = numbersIn(input, /ARGV\[(\d+)\]/g);
    expect(declared.length).toBeGreaterThan(0);
    expect(new Set(indexesOf(nodes, 'ARGV'))).toEqual(new Set(declared));
  });

  it('documents each outcome that it returns, and returns each that it documents', () => {
    const documented = numbersIn(output, /\{(-?\d+), now/g);
    expect(new Set(outcomesOf(nodes))).toEqual(new Set(documented));
  });

  it('names its inputs first and reads them by these names', () => {
    const blocks = code.split('\n\n').slice(1).join('\n\n');
    expect(blocks).not.toMatch(/KEYS\[/);
  });
});
