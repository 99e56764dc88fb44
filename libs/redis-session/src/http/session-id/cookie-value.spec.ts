import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeCookieValue, encodeCookieValue } from './cookie-value.js';

const UUID = '33fdd1b6-b496-4b33-9f7d-df96679d32fe';
const UUID_OF_SPRING = 'MzNmZGQxYjYtYjQ5Ni00YjMzLTlmN2QtZGY5NjY3OWQzMmZl';

describe('base64', () => {
  it('writes and reads an id as Spring Session does', () => {
    expect(encodeCookieValue(UUID, 'base64')).toBe(UUID_OF_SPRING);
    expect(decodeCookieValue(UUID_OF_SPRING, 'base64')).toBe(UUID);
  });

  it('tolerates missing padding', () => {
    expect(decodeCookieValue('YQ==', 'base64')).toBe('a');
    expect(decodeCookieValue('YQ', 'base64')).toBe('a');
  });

  it.each(['-_-_', 'YWJj ZGVm', 'YR==', 'Y', 'YWJjY', 'YQ===', 'YWJj!', '====', UUID, '/w=='])(
    'refuses %j',
    (value) => {
      expect(decodeCookieValue(value, 'base64')).toBeUndefined();
    },
  );
});

describe('plain', () => {
  it('leaves an id of this library as it is', () => {
    expect(encodeCookieValue('aZ09-_', 'plain')).toBe('aZ09-_');
  });

  it('refuses broken percent encoding', () => {
    expect(decodeCookieValue('%', 'plain')).toBeUndefined();
    expect(decodeCookieValue('%ff', 'plain')).toBeUndefined();
  });
});

describe.each(['plain', 'base64'] as const)('%s', (encoding) => {
  it('gives back every text, written in cookie octets of RFC 6265 only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const value = encodeCookieValue(text, encoding);
        expect(value).toMatch(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/);
        expect(decodeCookieValue(value, encoding)).toBe(text);
      }),
    );
  });
});
