import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';
import { execa } from 'execa';
import { blocksOf, PAGES } from './pages.js';

/** Inside the repository, so that imports find its packages. */
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url));
const RUNNER = fileURLToPath(new URL('run-blocks.mjs', import.meta.url));

/** Stands for the file of the reader that has other modules. */
const EMPTY_MODULE = `import { Module } from '@nestjs/common';
export class AppModule {}
Module({})(AppModule);
`;
/** Stands for Jest. The runner runs what `it` is given. */
const TESTS = `export const { it } = globalThis;
export { expect } from 'expect';
`;

/** A block of a page. */
export interface Block {
  /** Such as `docs/login.md:66`. */
  readonly place: string;
  readonly page: string;
  readonly code: string;
}

/** All blocks of the pages that a filter takes. */
export function blocksThat(isTaken: (block: Block) => boolean): Block[] {
  return PAGES.flatMap((page) =>
    [...blocksOf(page)].map(([line, code]) => ({ place: `${page}:${line}`, page, code })),
  ).filter(isTaken);
}

/**
 * Compiles blocks and runs each as a reader would, in one process.
 *
 * @param urls - by the text that the pages have for them, such as `redis://localhost:6379`
 * @param files - code of files that the blocks of a page import, by page and name; an `app.module` is empty unless given
 * @returns the error of each block that fails, by its place
 */
export async function runBlocks(
  blocks: readonly Block[],
  urls: Readonly<Record<string, string>>,
  files: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<Record<string, string>> {
  await mkdir(CACHE, { recursive: true });
  const root = await mkdtemp(`${CACHE}blocks-`);
  try {
    await writeFile(`${root}/package.json`, '{ "type": "module" }');
    const places = new Map<string, string>();
    for (const [number, block] of blocks.entries()) {
      const folder = `${root}/${number}`;
      places.set(folder, block.place);
      await writeBlock(folder, block, urls, files[block.page] ?? {});
    }
    const secrets = {
      CONTINUE_SECRET: 'a secret of more than thirty-two characters',
      SESSION_SECRET: 'a secret of more than thirty-two characters',
      OLD_SESSION_SECRET: 'an old secret of more than thirty-two characters',
      SESSION_KEY: Buffer.alloc(32, 1).toString('base64'),
      SESSION_INDEX_KEY: Buffer.alloc(32, 2).toString('base64'),
    };
    const env = { ...secrets, PORT: '0', REDIS_URL: urls['redis://localhost:6379'] };
    const { stdout } = await execa('node', [RUNNER, ...places.keys()], { env });
    const errors = JSON.parse(stdout.split('\n').at(-1) ?? '') as Record<string, string>;
    const failed = [...places].filter(([folder]) => errors[folder] !== undefined);
    return Object.fromEntries(failed.map(([folder, place]) => [place, errors[folder]!]));
  } finally {
    await rm(root, { recursive: true });
  }
}

async function writeBlock(
  folder: string,
  { page, code }: Block,
  urls: Readonly<Record<string, string>>,
  imported: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder);
  const sessions = [...blocksOf(page).values()].find((each) =>
    /^export const sessions/m.test(each),
  );
  const files = {
    block: startsApplication(code) ? `${code}export { app };` : code,
    page: sessions ?? 'export {};',
    'app.module': EMPTY_MODULE,
    tests: TESTS,
    ...imported,
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(`${folder}/${name}.js`, await compile(text, urls));
}

function startsApplication(code: string): boolean {
  return /^const app = await NestFactory/m.test(code);
}

async function compile(code: string, urls: Readonly<Record<string, string>>): Promise<string> {
  let text = code
    .replace("'@jest/globals'", "'./tests.js'")
    .replace('app.listen(3000)', 'app.listen(0)');
  for (const [written, url] of Object.entries(urls)) text = text.replaceAll(written, url);
  const { code: compiled } = await transform(text, {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'es6' },
  });
  return compiled;
}
