import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';

const ROOT = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', ROOT), 'utf8');

describe('README', () => {
  it('has 200 lines at most, and code on the first screen', () => {
    const lines = readme.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(200);
    const code = lines.indexOf('```sh');
    expect(code).toBeGreaterThan(0);
    expect(code).toBeLessThan(40);
  });

  it('names only test files that exist', () => {
    const files = [...readme.matchAll(/`((?:test|http)\/[\w/.-]+\.ts)`/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const path = file.startsWith('http/') ? `libs/redis-session/src/${file}` : file;
      expect(() => readFileSync(new URL(path, ROOT))).not.toThrow();
    }
  });
});

describe('docs/options.md', () => {
  it('says what the schemas of the options say', async () => {
    await execa('node', ['tools/option-reference.mjs', '--check'], { cwd: ROOT });
  });
});
