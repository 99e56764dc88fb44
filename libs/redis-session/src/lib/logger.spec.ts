import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { quoted, readable } from './logger.js';

describe(quoted, () => {
  it('gives one line that JSON reads back, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(quoted(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
        expect(JSON.parse(quoted(text))).toBe(text);
      }),
    );
  });

  it('cuts long texts', () => {
    expect(quoted('x'.repeat(1_000_000))).toBe(`"${'x'.repeat(200)}…"`);
  });
});

describe(readable, () => {
  it.each(['cart', 'cart.items[0].price', '$price', 'last-visit'])('leaves %s alone', (name) => {
    expect(readable(name)).toBe(name);
  });

  it.each([
    ['', '""'],
    ['two words', '"two words"'],
    ['line\nbreak', '"line\\nbreak"'],
    ['cart\n', '"cart\\n"'],
    ['right\u202eleft', '"right\\u202eleft"'],
    ['x'.repeat(201), `"${'x'.repeat(200)}…"`],
  ])('quotes %j', (name, expected) => {
    expect(readable(name)).toBe(expected);
  });
});
