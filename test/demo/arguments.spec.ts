import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('a command of the demos', () => {
  it.each([
    [
      'demo-spring',
      ['--foo'],
      "Unknown option '--foo'. The options are: [--check] [--boot 4|3] [--repository both|default|indexed] [--platform express|fastify]",
    ],
    ['demo-spring', ['--boot', '5'], '--boot must be 4 or 3, got "5".'],
    [
      'chaos',
      ['--only', 'Sentnel: x'],
      'Cannot run "Sentnel: x": no stage has that name. There are one Redis, one Redis, short sessions, expiry, Sentinel, Sentinel, durable, Cluster.',
    ],
    [
      'demo',
      ['--foo'],
      "Unknown option '--foo'. The options are: [--check] [--platform express|fastify] [--store redis|postgres|mongo|memory] [--sticky]",
    ],
    [
      'demo',
      ['--store', 'memry'],
      '--store must be redis or postgres or mongo or memory, got "memry".',
    ],
    [
      'demo',
      ['--sticky'],
      '--sticky must go with --store memory: other stores need no sticky sessions.',
    ],
  ])('%s refuses %j with one sentence', async (command, args, sentence) => {
    const { exitCode, stdout, stderr } = await execa('node', [`tools/${command}.mjs`, ...args], {
      cwd: ROOT,
      reject: false,
      timeout: 20_000,
    });
    expect([exitCode, stdout, stderr]).toEqual([1, '', sentence]);
  });
});
