import { readFile } from 'node:fs/promises';

const DOCS = new URL('../../docs/', import.meta.url);

/** Reads a page, such as `testing.md`. */
export function readPage(/** @type {string} */ page) {
  return readFile(new URL(page, DOCS), 'utf8');
}

/**
 * Reads the first block of a page that a pattern matches.
 *
 * @param {string} page - such as `testing.md`
 * @param {string} language - of the block
 * @param {RegExp} pattern
 * @returns {Promise<string>}
 * @throws {Error} when the page has no such block
 */
export async function readBlock(page, language, pattern) {
  const blocks = [...(await readPage(page)).matchAll(/^```(\w+)\n([^]*?)^```$/gm)];
  const found = blocks.find(([, name, code = '']) => name === language && pattern.test(code));
  if (!found?.[2]) throw new Error(`docs/${page} has no block of ${language} with ${pattern}.`);
  return found[2];
}
