import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { movedMark } from '../../libs/redis-session/src/migration/session-blob.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const SCRIPT = fileURLToPath(
  new URL('../../libs/redis-session/dist/migration/cli.js', import.meta.url),
);
const REDIS_URL = process.env['TEST_REDIS_URL'] ?? '';

/** Runs the command as it is published. */
function run(...args: string[]) {
  return execa('node', [SCRIPT, ...args], { reject: false, env: { REDIS_URL } });
}

describe('nestjs-redis-session migrate --dry-run', () => {
  const redis = useTestRedis();
  const prefix = `${redis.namespace}:[sess]:`;
  const session = JSON.stringify({ cookie: { originalMaxAge: null }, secret: 'data' });

  beforeAll(async () => {
    const { client } = redis;
    for (let n = 0; n < 1200; n++) client.set(`${prefix}id-${n}`, session).catch(() => undefined);
    await client.set(`${prefix}id-moved`, movedMark('4fQz81Lw'));
    await client.set(`${prefix}id-text`, 'no JSON');
    await client.set(`${prefix}id-list`, '[]');
    await client.set(`${prefix}id-bare`, '{"passport":{}}');
    await client.hset(`${prefix}id-hash`, 'a', '1');
    await client.set(`${prefix}id ключ`, session);
    for (const id of ['', 'id-\n', 'x'.repeat(1025)]) await client.set(prefix + id, session);
    await client.set(`${redis.namespace}:sess:other`, session);
  });

  it('counts what would be moved and what cannot be, without ids and data', async () => {
    const { exitCode, stdout, stderr } = await run('migrate', '--dry-run', '--prefix', prefix);
    const [movable, moved, unmovable, ...rest] = stdout.split('\n');
    expect(movable).toBe('1201 sessions would be moved when they are next used.');
    expect(moved).toBe('1 sessions have been moved.');
    expect(unmovable?.split(/, | cannot/).sort()).toEqual([
      ...[
        ' be moved.',
        '1 (no cookie)',
        '1 (no object)',
        '1 (no string)',
        '1 (not JSON)',
        '3 (no usable id)',
      ],
    ]);
    expect([exitCode, stderr, rest]).toEqual([0, '', []]);
    expect(stdout).not.toMatch(/id-|data/);
  });

  it('changes nothing', async () => {
    const ttl = await redis.client.pttl(`${prefix}id-1`);
    expect([await redis.client.get(`${prefix}id-1`), ttl]).toEqual([session, -1]);
  });

  it('stops at a limit, and says so', async () => {
    const args = ['migrate', '--dry-run', '--prefix', prefix, '--limit', '10'];
    const { stdout } = await run(...args);
    const counts = [...stdout.matchAll(/\d+/g)].map(([digits]) => Number(digits));
    expect(counts.reduce((sum, count) => sum + count)).toBe(10);
    const more = 'There are more: the limit was reached. Raise --limit to see them.';
    expect(stdout).toContain(more);
    expect((await run(...args.slice(0, -1), '100000')).stdout).not.toContain(more);
  });

  it('takes the url as an option', async () => {
    const { exitCode, stdout, stderr } = await run(
      ...['migrate', '--dry-run', '--redis', 'redis://:sesame@127.0.0.1:1'],
    );
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Cannot reach Redis: /);
    expect(stderr).not.toContain('sesame');
  });

  it.each([
    [[], 'the command must be "migrate".'],
    [
      ['migrate'],
      '--dry-run must be given: sessions are moved by the feature migrateFrom() of the module, each when it is next used.',
    ],
    [['migrate', '--dry-run', '--limit', '0'], '--limit must be a positive integer.'],
    [['migrate', '--dryrun'], "Unknown option '--dryrun'"],
  ])('explains what is wrong with %j', async (args, message) => {
    const { exitCode, stderr } = await run(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage:');
  });

  it('explains itself', async () => {
    const { exitCode, stdout } = await run('--help');
    expect([exitCode, stdout.slice(0, 6)]).toEqual([0, 'Usage:']);
  });
});
