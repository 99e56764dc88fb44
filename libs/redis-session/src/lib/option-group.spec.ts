import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { flagOption, functionOption, mustBe, refuseContradictions } from './option-group.js';

describe('mustBe', () => {
  it.each([
    ['true or false', flagOption.default(true)],
    ['"lax", "strict" or null', z.enum(['lax', 'strict']).nullable().default('lax')],
    ['3 or 4', z.union([z.literal(3), z.literal(4)]).optional()],
    ['true, false or a function', z.union([flagOption, functionOption()])],
    ['a time of day', z.enum(['morning', 'evening']).describe('a time of day').optional()],
    ['valid', z.string()],
  ])('says %s', (words, schema) => {
    expect(mustBe(schema)).toBe(words);
  });
});

describe('refuseContradictions', () => {
  it('tells the first contradiction that there is', () => {
    expect(() => refuseContradictions({ first: false, second: true, third: true })).toThrow(
      'second',
    );
  });

  it('takes options that fit together', () => {
    expect(() => refuseContradictions({ first: false })).not.toThrow();
  });
});
