import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const ROOT = new URL('../../', import.meta.url);
const docs = readdirSync(new URL('docs/', ROOT)).filter((name) => name.endsWith('.md'));
const PAGES = ['README.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)];
/** Tables that name a test, a class or a command of Redis in each row. */
const PAGES_OF_WIDE_TABLES = [
  'docs/operations.md',
  'docs/security.md',
  'docs/spring-mapping.md',
  'docs/storage.md',
];

/** The lines of a page outside of code blocks. */
function linesOf(page: string): string[] {
  const text = readFileSync(new URL(page, ROOT), 'utf8');
  return text.replaceAll(/^```[^]*?^```$/gm, '').split('\n');
}

function isRow(line: string): boolean {
  return line.startsWith('|');
}

describe('the pages', () => {
  it.each(PAGES)('have no line above 160 characters: %s', (page) => {
    expect(linesOf(page).filter((line) => !isRow(line) && line.length > 160)).toEqual([]);
  });

  it.each(PAGES.filter((page) => !PAGES_OF_WIDE_TABLES.includes(page)))(
    'have no table cell above 120 characters: %s',
    (page) => {
      const cells = linesOf(page)
        .filter(isRow)
        .flatMap((row) => row.split('|').map((cell) => cell.trim()));
      expect(cells.filter((cell) => cell.length > 120)).toEqual([]);
    },
  );
});
