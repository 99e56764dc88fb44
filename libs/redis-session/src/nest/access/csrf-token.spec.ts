import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createCsrfSecret, isCsrfToken, maskCsrfSecret } from './csrf.js';

describe('maskCsrfSecret', () => {
  it('makes a token of twice as many bytes as the secret that is never twice the same', () => {
    const secret = createCsrfSecret();
    const tokens = Array.from({ length: 100 }, () => maskCsrfSecret(secret));
    expect(new Set(tokens).size).toBe(100);
    expect(tokens.every((token) => /^[\w-]{115}$/.test(token))).toBe(true);
  });

  it('does not contain the secret', () => {
    const secret = createCsrfSecret();
    expect(maskCsrfSecret(secret)).not.toContain(secret.slice(0, 8));
  });
});

describe('isCsrfToken', () => {
  const secret = createCsrfSecret();

  it('accepts every token of its secret', () => {
    for (let time = 0; time < 100; time++) {
      expect(isCsrfToken(maskCsrfSecret(secret), secret)).toBe(true);
    }
  });

  it('accepts every token of a UUID, as Spring Security keeps one', () => {
    const uuid = '33fdd1b6-b496-4b33-9f7d-df96679d32fe';
    expect(isCsrfToken(maskCsrfSecret(uuid), uuid)).toBe(true);
  });

  it('refuses tokens of another secret', () => {
    expect(isCsrfToken(maskCsrfSecret(createCsrfSecret()), secret)).toBe(false);
  });

  it('refuses a token of which one character is another', () => {
    const token = maskCsrfSecret(secret);
    // The last character carries bits that decoding drops.
    for (let index = 0; index < token.length - 1; index++) {
      const other = token[index] === 'A' ? 'B' : 'A';
      const forged = token.slice(0, index) + other + token.slice(index + 1);
      expect(isCsrfToken(forged, secret)).toBe(false);
    }
  });

  it.each([undefined, null, '', 'x', 42, [], {}, ['a', 'b'], secret])('refuses %p', (token) => {
    expect(isCsrfToken(token, secret)).toBe(false);
  });

  it('refuses everything when there is no secret', () => {
    const token = maskCsrfSecret(secret);
    for (const none of [undefined, null, '', 'short', {}]) {
      expect(isCsrfToken(token, none)).toBe(false);
    }
  });

  it('refuses any text that is no token', () => {
    fc.assert(fc.property(fc.string(), (text) => !isCsrfToken(text, secret)));
  });
});
