import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { plainText, quoted, readable } from './logger.js';

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

describe(plainText, () => {
  it.each([
    'connect ECONNREFUSED 127.0.0.1:6379',
    'relation "sessions" does not exist',
    'größer',
    '',
  ])('leaves %j alone', (text) => {
    expect(plainText(text)).toBe(text);
  });

  it.each([
    ['line\nbreak', '"line\\nbreak"'],
    ['\u001b[2K', '"\\u001b[2K"'],
    ['un\u{e0041}seen', '"un\\udb40\\udc41seen"'],
    ['x'.repeat(601), `"${'x'.repeat(99)}…"`],
  ])('quotes %j', (text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  it('leaves alone what it has given, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const once = plainText(text);
        expect(once).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(plainText(once)).toBe(once);
      }),
    );
    expect(plainText('\0'.repeat(1_000)).length).toBeLessThanOrEqual(600);
  });
});
