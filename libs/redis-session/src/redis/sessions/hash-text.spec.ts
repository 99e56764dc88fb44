import { describe, expect, it } from '@jest/globals';
import { HashList, HashText } from './hash-text.js';

/** As the scripts do it. */
function parse(...parts: string[]): HashText | undefined {
  return HashText.parse(parts.length, parts.join('\0'));
}

describe('HashText', () => {
  it('finds the value of each field, empty ones too', () => {
    const hash = parse('a', '1', '', 'of the empty name', 'empty', '');
    expect(['a', '', 'empty', 'b'].map((field) => hash?.get(field))).toEqual([
      '1',
      'of the empty name',
      '',
      undefined,
    ]);
    expect([...(hash?.keys() ?? [])]).toEqual(['a', '', 'empty']);
  });

  it('takes the last value of a field that comes twice', () => {
    expect(parse('a', '1', 'b', '2', 'a', '3')?.get('a')).toBe('3');
  });

  it('does not take a value for a field', () => {
    const hash = parse('a', 'b', 'c', 'b', 'd', 'a');
    expect(hash?.get('b')).toBeUndefined();
    expect(hash?.get('a')).toBe('b');
  });

  it('does not take the start of a field for the field', () => {
    expect(parse('cart2', '1', 'car', '2')?.get('cart')).toBeUndefined();
  });

  it('is empty without parts, whose text is missing', () => {
    const hash = HashText.parse('0', undefined);
    expect(hash?.size).toBe(0);
    expect(hash?.get('')).toBeUndefined();
  });

  it('refuses a text that has the separator inside a part', () => {
    expect(HashText.parse(2, 'a\0b\0c')).toBeUndefined();
  });
});

describe(HashList, () => {
  it.each([
    ['a list', ['a', '1', 'constructor', '']],
    ['an object', { a: '1', constructor: '' }],
  ])('finds fields in %s, and only those', (_form, reply) => {
    const hash = HashList.of(reply);
    expect([hash.get('a'), hash.get('constructor'), hash.get('1'), hash.get('')]).toEqual([
      '1',
      '',
      undefined,
      undefined,
    ]);
    expect(hash.size).toBe(2);
    expect([...hash.keys()]).toEqual(['a', 'constructor']);
  });
});
