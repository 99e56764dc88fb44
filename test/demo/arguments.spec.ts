import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('npm run demo', () => {
  it.each([
    [
      ['--foo'],
      "Unknown option '--foo'. The options are: [--check] [--platform express|fastify] [--store redis|postgres|mongo|memory] [--sticky]",
    ],
    [['--store', 'memry'], '--store must be redis or postgres or mongo or memory, got "memry".'],
    [['--sticky'], '--sticky must go with --store memory: other stores need no sticky sessions.'],
  ])('refuses %j with one sentence', async (args, sentence) => {
    const { exitCode, stdout, stderr } = await execa('node', ['tools/demo.mjs', ...args], {
      cwd: ROOT,
      reject: false,
      timeout: 20_000,
    });
    expect([exitCode, stdout, stderr]).toEqual([1, '', sentence]);
  });
});
