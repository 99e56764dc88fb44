import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const folder = new URL('../../apps/demo/', import.meta.url);
const files = ['src', 'views'].flatMap((part) =>
  readdirSync(new URL(part, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`),
);

/** Files of the demo with a line that fits. */
const filesWith = (pattern: RegExp): string[] =>
  files
    .filter((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .some((line) => pattern.test(line.replaceAll('nestjs-redis-session', ''))),
    )
    .map((file) => file.slice(file.lastIndexOf('/') + 1))
    .sort();

describe('the store of the demo', () => {
  it('is chosen in one place', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(filesWith(/\bstore\b.*[!=]==|postgresSessions|mongoSessions/)).toEqual([
      'app.module.ts',
    ]);
  });

  it('is named where it is chosen, and where its address is read', () => {
    const names = /\b(?:redis|postgres|postgresql|mongo|mongodb|memory)\b/i;
    expect(filesWith(names)).toEqual(['app.module.ts', 'environment.ts']);
  });
});
