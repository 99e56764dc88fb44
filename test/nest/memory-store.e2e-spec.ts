import { afterEach, describe, expect, it } from '@jest/globals';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { useApps } from '../support/apps/start-app.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const redis = useTestRedis();
const before = process.env['NODE_ENV'];

describe('store: "memory"', () => {
  const start = useApps('express', redis);

  afterEach(() => {
    process.env['NODE_ENV'] = before;
  });

  it.each([
    ['production', 1],
    ['development', 0],
    ['test', 0],
  ])('logs an error in %s: %i', async (environment, count) => {
    process.env['NODE_ENV'] = environment;
    const log = new LoggedLines();
    await start({ store: 'memory', logger: log }, { log });
    const warnings = log.lines.filter((line) => line.includes('Sessions are kept in the memory'));
    expect(warnings).toHaveLength(count);
  });

  it('is not warned of when it is Redis', async () => {
    process.env['NODE_ENV'] = 'production';
    const log = new LoggedLines();
    await start({ logger: log }, { log });
    expect(log.text).not.toContain('Sessions are kept in the memory');
  });
});
