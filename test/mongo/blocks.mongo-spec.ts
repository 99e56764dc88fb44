import { describe, expect, it } from '@jest/globals';
import { blocksThat, runBlocks } from '../support/blocks/written-blocks.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const mongo = useTestMongo();

describe('the code of the pages', () => {
  it('starts on MongoDB in each block that names it, and answers requests', async () => {
    const blocks = blocksThat(({ code }) => code.includes('nestjs-redis-session/mongo'));
    expect(blocks).toHaveLength(1);
    expect(await runBlocks(blocks, { 'mongodb://localhost/shop': mongo.url })).toEqual({});
  });
});
