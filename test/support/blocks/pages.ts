import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const docs = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith('.md'));

/** README.md, and the pages of the site. */
export const PAGES = ['README.md', ...docs.map((name) => `docs/${name}`)];

/** Reads the `ts` blocks of a page, by the line where each starts. */
export function blocksOf(page: string): Map<number, string> {
  const text = readFileSync(`${ROOT}${page}`, 'utf8');
  const blocks = [...text.matchAll(/^```(?:ts|typescript)\n([^]*?)^```$/gm)];
  return new Map(blocks.map((block) => [text.slice(0, block.index).split('\n').length, block[1]!]));
}
