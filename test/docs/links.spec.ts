import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import GithubSlugger from 'github-slugger';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'bench/README.md',
  ...docs.map((name) => `docs/${name}`),
];

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

function anchorsOf(page: string): string[] {
  const slugger = new GithubSlugger();
  return [...read(page).matchAll(/^#{1,6} (.*)$/gm)].map(([, title = '']) =>
    slugger.slug(title.replaceAll('`', '')),
  );
}

/** The links of a page that lead into the repository. */
function linksOf(page: string): string[] {
  const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

function isBroken(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
}

describe('the links of a page', () => {
  it.each(PAGES)('lead to files and headings that exist: %s', (page) => {
    expect(linksOf(page).filter((link) => isBroken(page, link))).toEqual([]);
  });
});

describe('The commands of the pages', () => {
  it.each(PAGES)('ask no registry for a package that is installed: %s', (page) => {
    expect(read(page)).not.toMatch(/npx (?!--no )nestjs-redis-session/);
  });
});
