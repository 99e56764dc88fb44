import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findCookieValues } from './cookie-value.js';

const find = (header: string, name = 'SESSION'): string[] => [...findCookieValues(header, name)];

describe(findCookieValues, () => {
  it('finds nothing in a header without the name', () => {
    expect(find('')).toEqual([]);
    expect(find('other=1; theme=dark')).toEqual([]);
  });

  it('finds all cookies of the name in their order', () => {
    expect(find('a=0; SESSION=1; b=2;SESSION=3 ;\tSESSION=4')).toEqual(['1', '3', '4']);
  });

  it.each([
    'session=1',
    'XSESSION=1',
    'SESSION2=1',
    'X SESSION=1',
    'a=SESSION=1',
    'SESSION',
    'SESSION =1',
  ])('takes %j for another cookie', (header) => {
    expect(find(header)).toEqual([]);
  });

  it('takes the quotes off a value', () => {
    expect(find('SESSION="a=b"; SESSION="; SESSION=""; SESSION="x')).toEqual([
      'a=b',
      '"',
      '',
      '"x',
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString', '$.*+'])(
    'treats %s as any other name',
    (name) => {
      expect(find(`a=1; ${name}=2; ${name}=3`, name)).toEqual(['2', '3']);
      expect(find('a=1', name)).toEqual([]);
    },
  );

  it('reads what a plain split at the semicolons reads', () => {
    const part = fc.constantFrom('SESSION=', 'SESSION', '=', ';', ' ', '\t', '"', 'a', 'é');
    fc.assert(
      fc.property(
        fc.array(part).map((parts) => parts.join('')),
        (header) => {
          const pairs = header.split(';').map((pair) => pair.replace(/^[ \t]+/, ''));
          const expected = pairs.filter((pair) => pair.startsWith('SESSION=')).length;
          expect(find(header)).toHaveLength(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('looks at every character of a hostile header a bounded number of times', () => {
    const size = 1_000_000;
    for (const piece of ['SESSION=;', 'xSESSION=', ' ', 'SESSION= ', '"', ';']) {
      const header = piece.repeat(size / piece.length);
      const expected = header.split(';').filter((pair) => pair.trimStart().startsWith('SESSION='));
      expect(find(header)).toHaveLength(expected.length);
    }
  });
});
