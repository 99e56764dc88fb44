import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Node, parse } from 'luaparse';
import * as scripts from './scripts.generated.js';

const GLOBALS = [
  'redis',
  'KEYS',
  'ARGV',
  'tonumber',
  'string',
  'table',
  'math',
  'struct',
  'unpack',
];
const folder = join(process.cwd(), 'libs/redis-session/src/redis/lua');
const files = [folder, join(folder, 'spring')].flatMap((each) =>
  readdirSync(each)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => ({ file, source: readFileSync(join(each, file), 'utf8') })),
);
const functionPaths = [folder, join(folder, 'spring')]
  .map((each) => join(each, 'functions'))
  .flatMap((each) => readdirSync(each).map((file) => join(each, file)));
const functionNames = functionPaths.map((path) => basename(path, '.lua'));
const fileNames = files.map(({ file }) => file).sort();

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

/** The tree of a script in which each variable is called by when it comes first. A function keeps its name. */
function treeOf(source: string): unknown[] {
  const { body } = parse(source, { luaVersion: '5.1', scope: true });
  return body.map((statement) => {
    const names: unknown[] = [];
    return JSON.parse(
      JSON.stringify(statement, function (this: { isLocal?: boolean }, key, value: unknown) {
        if (key === 'isLocal') return undefined;
        if (key !== 'name' || !this.isLocal || functionNames.includes(String(value))) return value;
        if (!names.includes(value)) names.push(value);
        return names.indexOf(value);
      }),
    ) as unknown;
  });
}

/** The names of the local variables of a script that are no functions of its own. */
function variablesOf(source: string): string[] {
  const nodes = nodesOf(parse(source, { luaVersion: '5.1', scope: true }).body);
  return nodes.flatMap((node) => {
    if (node.type !== 'Identifier' || !('isLocal' in node) || node.isLocal !== true) return [];
    return functionNames.includes(node.name) ? [] : node.name;
  });
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

/**
 * The outcomes of the script: single numbers that it returns, and the first number of each table. Several values at once
 * are what one of its functions returns.
 */
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

function nameOf(file: string): string {
  return file.replace(/-.*/, '');
}

function numbersIn(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map(([, digits]) => Number(digits));
}

it('there are scripts, and each is embedded under its name', () => {
  expect(fileNames).toEqual([
    'addToIndex-1.lua',
    'admitToIndex-2.lua',
    'claimDue-n.lua',
    'createIndexed-4.lua',
    'createSession-1.lua',
    'deleteIndexed-3.lua',
    'dropConsumers-1.lua',
    'endSession-4.lua',
    'endSpring-4.lua',
    'endSpringJdk-2.lua',
    'loadIndexed-n.lua',
    'loadSessions-n.lua',
    'loadSpring-2.lua',
    'loadSpringJdk-2.lua',
    'pageOfIndex-1.lua',
    'recordEvent-2.lua',
    'replaceBlob-1.lua',
    'saveIndexed-6.lua',
    'saveSession-3.lua',
    'saveSpring-5.lua',
    'saveSpringJdk-5.lua',
    'scheduleInBuckets-4.lua',
    'setAttributes-n.lua',
    'setIndexedAttributes-n.lua',
    'takeOverEvents-n.lua',
  ]);
  expect(Object.keys(scripts).sort()).toEqual(fileNames.map(nameOf));
});

it('each function is called by a script, and embedded with it', () => {
  const embedded = Object.values(scripts).map(({ lua }) => lua);
  const trees = new Set(embedded.flatMap(treeOf).map((tree) => JSON.stringify(tree)));
  expect(functionNames).toContain('serverNow');
  for (const path of functionPaths) {
    const [tree] = treeOf(readFileSync(path, 'utf8'));
    expect({ path, isThere: trees.has(JSON.stringify(tree)) }).toEqual({ path, isThere: true });
  }
});

describe.each(files)('$file', ({ file, source }) => {
  const [header = '', code = ''] = source.split(/(?<=\n)\]\]\n/);
  const [input = '', output = ''] = header
    .split('Output')
    .map((part) => part.split('Input').at(-1));
  const nodes = nodesOf(parse(source, { luaVersion: '5.1' }).body);
  const embedded: { lua: string; numberOfKeys?: number } =
    scripts[nameOf(file) as keyof typeof scripts];

  it('is embedded after its functions, without comments, indentation, blanks and long names, and line by line', () => {
    const lines = code.split('\n').map((line) => line.trim());
    const kept = lines.filter((line) => line !== '' && !line.startsWith('--'));
    const own = embedded.lua.split('\n').slice(-kept.length - 1);
    expect(own.length).toBe(kept.length + 1);
    expect(treeOf(`do\n${own.join('\n')}end`)).toEqual(treeOf(`do\n${source}\nend`));
    expect(embedded.lua).not.toMatch(/--|^[ \n]|, /m);
    const variables = variablesOf(embedded.lua);
    expect(variables).not.toEqual([]);
    expect(variables.filter((name) => name.length > 2)).toEqual([]);
  });

  it('uses no global variable but those of Redis scripts', () => {
    const tree = parse(embedded.lua, { luaVersion: '5.1', scope: true });
    const { globals } = tree as typeof tree & { globals: { name: string }[] };
    const names = globals.map(({ name }) => name);
    expect(names).toContain('redis');
    expect(GLOBALS).toEqual(expect.arrayContaining(names));
  });

  it('takes as many keys as its name says, and declares each', () => {
    const [, count] = /-(\d+|n)\.lua$/.exec(file) ?? [];
    const declared = [...input.matchAll(/^ +KEYS\[(\d+)( \.\.\.)?\]/gm)];
    const last = declared.map(([, digits, more]) => (more ? 'n' : digits)).at(-1);
    expect([last, `${embedded.numberOfKeys ?? 'n'}`]).toEqual([count, count]);
    const singles = declared.flatMap(([, digits, more]) => (more ? [] : Number(digits)));
    expect(new Set(singles)).toEqual(new Set(indexesOf(nodes, 'KEYS')));
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
