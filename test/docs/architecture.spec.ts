import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';

const ROOT = new URL('../../', import.meta.url);
const SOURCE = new URL('libs/redis-session/src/', ROOT);
const page = readFileSync(new URL('docs/architecture.md', ROOT), 'utf8');

/** The files that the numbered steps of a section name, such as `session/map-session.ts`. */
function filesOf(title: string): string[] {
  const [, section = ''] = page.split(`## ${title}\n`);
  const steps = section.split('\n## ')[0]!.matchAll(/^\d+\. .*(?:\n {3}.*)*/gm);
  return filesIn([...steps].join('\n'));
}

function filesIn(text: string): string[] {
  return [...text.matchAll(/`([\w/.-]+\.(?:ts|lua))`/g)].map(([, file]) => file!);
}

describe('docs/architecture.md', () => {
  it('gives every folder of the source one sentence, and no other', () => {
    const folders = readdirSync(SOURCE, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name, parentPath }) => `${parentPath}/${name}`.slice(SOURCE.pathname.length))
      .map((path) => path.replace(/^\/+/, ''));
    const rows = [...page.matchAll(/^\| `([\w/-]+)` +\| \S/gm)].map(([, folder]) => folder!);
    expect(rows.toSorted()).toEqual(folders.toSorted());
  });

  it('names only files that exist', () => {
    const missing = filesIn(page).filter((file) => !existsSync(new URL(file, SOURCE)));
    expect(missing).toEqual([]);
  });

  describe('what a running application does', () => {
    let ran: Record<'get' | 'change' | 'login' | 'expired', string[]>;

    beforeAll(async () => {
      const { stdout } = await execa('node', ['tools/files-of-requests.mjs'], { cwd: ROOT });
      ran = JSON.parse(stdout) as typeof ran;
    });

    it.each([
      ['One GET', 'get'],
      ['One changed attribute', 'change'],
      ['One login', 'login'],
      ['One expired session', 'expired'],
    ] as const)('%s names in its steps only files that run then', (title, request) => {
      const walked = filesOf(title).filter((file) => file.endsWith('.ts'));
      expect(walked.length).toBeGreaterThan(4);
      expect(walked.filter((file) => !ran[request].includes(file))).toEqual([]);
    });
  });
});
