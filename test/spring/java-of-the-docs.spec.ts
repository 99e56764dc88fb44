import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { buildBoth } from '../../tools/demo-spring/build.mjs';

/** The first run downloads Spring. */
const BUILD_WITHIN_MS = 900_000;

/** The Java files of docs/spring.md, by the heading above each. */
async function javaOfTheDocs(): Promise<Map<string, string>> {
  const text = await readFile('docs/spring.md', 'utf8');
  const files = text.matchAll(/^### (Spring Boot [\d.]+)\n[^#]*?```java\n(.*?)```$/gms);
  return new Map([...files].map(([, heading = '', java = '']) => [heading, java]));
}

describe('docs/spring.md', () => {
  it.each([
    ['Spring Boot 4', 4],
    ['Spring Boot 3.5', 3],
  ])(
    'shows a whole file that compiles with %s',
    async (heading, boot) => {
      const java = (await javaOfTheDocs()).get(heading) ?? '';
      const { jar } = await buildBoth(boot);
      const folder = await mkdtemp(join(tmpdir(), 'java-'));
      const file = join(folder, 'SessionConfiguration.java');
      await writeFile(file, java);
      const options = ['-proc:none', '-Xlint:all,-path,-removal,-classfile', '-Werror'];
      const classPath = ['-cp', `${dirname(jar)}/lib/*`, '-d', folder];
      const result = await execa('javac', [...options, ...classPath, file], { reject: false });
      await rm(folder, { recursive: true });
      expect({ output: result.stderr, exitCode: result.exitCode }).toEqual({
        output: '',
        exitCode: 0,
      });
    },
    BUILD_WITHIN_MS,
  );
});
