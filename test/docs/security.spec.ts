import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const ROOT = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/security.md', ROOT), 'utf8');

/** The section V7 of OWASP ASVS 5.0 has so many points in each of its parts. */
const POINTS_OF_PARTS = [3, 4, 2, 5, 3, 2];

function testsIn(text: string): string[] {
  return [...text.matchAll(/`((?:libs|test)\/[\w/.-]+\.ts)`/g)].map(([, file = '']) => file);
}

function rowsOf(title: string): string[] {
  const [, section = ''] = page.split(`\n## ${title}\n`);
  const rows = section.split('\n## ')[0]!.matchAll(/^\|.*\|$/gm);
  return [...rows].map(([row]) => row).slice(2);
}

describe('docs/security.md', () => {
  it('names only tests that exist', () => {
    const tests = testsIn(page);
    expect(tests.length).toBeGreaterThan(40);
    expect(tests.filter((file) => !existsSync(new URL(file, ROOT)))).toEqual([]);
  });

  it('answers each point of OWASP ASVS 5.0 V7 by a test, or says that it is yours', () => {
    const rows = rowsOf('OWASP ASVS 5.0, chapter V7 (session management)');
    const points = POINTS_OF_PARTS.flatMap((count, part) =>
      Array.from({ length: count }, (_, point) => `7.${part + 1}.${point + 1}`),
    );
    expect(rows.map((row) => row.split('|')[1]?.trim())).toEqual(points);
    expect(rows.filter((row) => testsIn(row).length === 0 && !/\byours\b/.test(row))).toEqual([]);
  });

  it('has nobody ask a registry for the command of the library, whose name others may take there', () => {
    const pages = readdirSync(new URL('docs/', ROOT))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`);
    const asking = [...pages, 'README.md'].filter((path) =>
      /npx (?!--no )[^\n]*nestjs-redis-session/.test(readFileSync(new URL(path, ROOT), 'utf8')),
    );
    expect(asking).toEqual([]);
  });

  it('lists every test of attacks among what was tried, and a test in each line', () => {
    const rows = rowsOf('What was tried');
    const files = readdirSync(new URL('test/attacks/', ROOT), { recursive: true })
      .filter((name) => String(name).endsWith('spec.ts'))
      .map((name) => `test/attacks/${String(name)}`);
    expect(files.length).toBeGreaterThan(20);
    const listed = testsIn(rows.join('\n'));
    expect(files.filter((file) => !listed.includes(file))).toEqual([]);
    expect(rows.filter((row) => testsIn(row).length === 0)).toEqual([]);
  });
});
