import { describe, expect, it } from '@jest/globals';
import { createSessionTables } from 'nestjs-redis-session/postgres';
import { blocksOf } from '../support/blocks/pages.js';
import { type Block, blocksThat, runBlocks } from '../support/blocks/written-blocks.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

/** What other test files run. */
function runsElsewhere({ page, code }: Block): boolean {
  // test/docs/stores.e2e-spec.ts, test/mongo/blocks.mongo-spec.ts
  return (page === 'docs/stores.md' && code.includes('describeSession')) || code.includes('/mongo');
}

/** The files that other blocks of a page import. */
const FILES = {
  'docs/express-session.md': { 'app.module': moduleOf('docs/express-session.md') },
  'docs/getting-started.md': { 'app.module': moduleOf('docs/getting-started.md') },
  'docs/testing.md': {
    'app.module': moduleOf('docs/getting-started.md'),
    'cart.module': moduleOf('docs/sessions.md'),
  },
};

function moduleOf(page: string): string {
  return [...blocksOf(page).values()].find((code) => /class (?:App|Cart)Module/.test(code))!;
}

const postgres = useTestPostgres();

describe('the code of the pages', () => {
  it('starts in each block, and answers requests', async () => {
    await postgres.pool.query(createSessionTables());
    const blocks = blocksThat((block) => !runsElsewhere(block));
    expect(blocks.length).toBeGreaterThan(40);
    const urls = {
      'redis://localhost:6379': process.env['TEST_REDIS_URL']!,
      'postgres://localhost/shop': postgres.running.url,
    };
    expect(await runBlocks(blocks, urls, FILES)).toEqual({});
  });
});
