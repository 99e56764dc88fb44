import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const ROOT = new URL('../../', import.meta.url);
const docs = readdirSync(new URL('docs/', ROOT)).filter((name) => name.endsWith('.md'));
const PAGES = ['README.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)];
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

  it.each(PAGES)(
    'have no table cell above 120 characters, addresses of links aside: %s',
    (page) => {
      const cells = linesOf(page)
        .filter(isRow)
        .flatMap((row) => row.replaceAll(/\]\([^)]*\)/g, ']').split('|'))
        .map((cell) => cell.trim())
        .filter((cell) => !/^:?-+:?$/.test(cell));
      expect(cells.filter((cell) => cell.length > 120)).toEqual([]);
    },
  );
});
