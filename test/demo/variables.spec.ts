import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const namesIn = (file: string, pattern: RegExp) =>
  [...read(file).matchAll(pattern)].map(([, name]) => name);

describe('the variables of the demo in docs/operations.md', () => {
  it('are those that the demo and Docker Compose read', () => {
    const used = [
      ...namesIn('apps/demo/src/environment.ts', /process\.env\['([A-Z_]+)'\]/g),
      ...namesIn('apps/demo/src/environment.ts', /^ {2}([A-Z_]+)(?::| =)/gm),
      ...namesIn('docker-compose.yml', /\$\{([A-Z_]+)/g),
      ...namesIn('deploy/compose.durable.yml', /\$\{([A-Z_]+)/g),
    ];
    const documented = namesIn('docs/operations.md', /^\| `([A-Z_]+)` +\|/gm);
    expect(documented.sort()).toEqual([...new Set(used)].sort());
  });
});
