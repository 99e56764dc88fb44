import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { type Browser, type Page } from 'playwright-core';
import { startBrowser } from '../support/http/browser.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SITE = 'http://docs.test';
const WIDTHS = [1280, 390, 320];
/** Runs in the page. */
const LINKS = `Array.from(document.querySelectorAll('a[href]'), ({ href }) => href)`;
const ANCHORS = `Array.from(document.querySelectorAll('[id]'), ({ id }) => id)`;
const OVERFLOW = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;

/** What a browser saw of one page. */
interface Visit {
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly string[];
  /** Pixels by which the page is wider than the window, at each of {@link WIDTHS}. */
  readonly overflows: readonly number[];
  readonly problems: readonly string[];
}

describe('the built site', () => {
  let folder: string;
  let browser: Browser;
  const visits = new Map<string, Visit>();

  /** The file of a path, which may have no extension. */
  function fileOf(path: string): string {
    const [, name = ''] = /^\/(.*)$/.exec(path === '/' ? '/index' : path) ?? [];
    const file = join(folder, decodeURIComponent(name));
    return existsSync(`${file}.html`) ? `${file}.html` : file;
  }

  async function visit(page: Page, path: string): Promise<Visit> {
    const problems: string[] = [];
    page.removeAllListeners();
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(SITE + path, { waitUntil: 'load' });
    const overflows: number[] = [];
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      overflows.push(await page.evaluate<number>(OVERFLOW));
    }
    const anchors = new Set(await page.evaluate<string[]>(ANCHORS));
    return { anchors, links: await page.evaluate<string[]>(LINKS), overflows, problems };
  }

  /** A page that finds the site, and nothing else. */
  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    await page.route('**/*', (route) => {
      const url = new URL(route.request().url());
      const path = fileOf(url.pathname);
      return url.origin === SITE && existsSync(path) ? route.fulfill({ path }) : route.abort();
    });
    return page;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'site-'));
    await execa('npm', ['run', 'docs:reference'], { cwd: ROOT });
    await execa('npx', ['vitepress', 'build', 'docs', '--outDir', folder], { cwd: ROOT });
    browser = await startBrowser();
    const page = await openPage();
    const files = readdirSync(folder, { recursive: true }).map(String);
    for (const file of files.filter((name) => name.endsWith('.html') && name !== '404.html')) {
      const path = `/${file.replace(/\.html$/, '')}`;
      visits.set(path, await visit(page, path));
    }
    // The last page still fetches the pages that its links name.
    await page.unrouteAll({ behavior: 'wait' });
  }, 900_000);

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  it('has a page for each file of docs/, and the reference', () => {
    const pages = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith('.md'));
    const paths = pages.map((name) => `/${name.replace(/\.md$/, '')}`);
    expect([...visits.keys()]).toEqual(expect.arrayContaining([...paths, '/reference/store']));
  });

  it.each(WIDTHS.map((width, index) => [width, index] as const))(
    'does not scroll sideways at %d px',
    (_, index) => {
      const wide = [...visits].filter(([, { overflows }]) => overflows[index]! > 0);
      expect(wide.map(([path, { overflows }]) => `${path}: ${overflows[index]} px`)).toEqual([]);
    },
  );

  it('finds a word, has a sidebar, and turns dark', async () => {
    const page = await openPage();
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(`${SITE}/getting-started`, { waitUntil: 'load' });
    expect(await page.locator('.VPSidebar a[href^="/login"]').first().isVisible()).toBe(true);
    const isDark = (): Promise<boolean> =>
      page.evaluate<boolean>(`document.documentElement.classList.contains('dark')`);
    const before = await isDark();
    await page.locator('.VPNavBarAppearance button').click();
    expect(await isDark()).toBe(!before);
    await page.locator('#local-search button').click();
    await page.locator('#localsearch-input').fill('maximumSessions');
    const found = page.locator('.VPLocalSearchBox .results a').first();
    await found.waitFor();
    expect(await found.getAttribute('href')).toContain('#');
    await page.unrouteAll({ behavior: 'wait' });
  });

  it('runs its scripts without an error', () => {
    expect([...visits].filter(([, { problems }]) => problems.length > 0)).toEqual([]);
  });

  it('has no dead link and no dead anchor', () => {
    const isDead = (link: string): boolean => {
      const { origin, pathname, hash } = new URL(link);
      if (origin !== SITE) return false;
      const target = visits.get(pathname === '/' ? '/index' : pathname.replace(/\.html$/, ''));
      return !target || (hash !== '' && !target.anchors.has(decodeURIComponent(hash.slice(1))));
    };
    const dead = [...visits].flatMap(([path, { links }]) =>
      links.filter(isDead).map((link) => `${path} → ${link.slice(SITE.length)}`),
    );
    expect([...new Set(dead)]).toEqual([]);
  });
});
