import { readFile } from 'node:fs/promises';

const ROOT = new URL('./', import.meta.url);
const RELATIVE_IMPORT = /from '(\.[^']+)\.js'/g;

/** The source files that a program is made of: paths within this folder, sorted, with their content. */
export async function filesReachedFrom(entry: URL): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const visit = async (file: URL): Promise<void> => {
    const path = file.href.slice(ROOT.href.length);
    if (found.has(path)) return;
    const source = await readFile(file, 'utf8');
    found.set(path, source);
    for (const [, name] of source.matchAll(RELATIVE_IMPORT)) {
      await visit(new URL(`${name}.ts`, file));
    }
  };
  await visit(entry);
  return new Map([...found].sort(([a], [b]) => a.localeCompare(b)));
}
