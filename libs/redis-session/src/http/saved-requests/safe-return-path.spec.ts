import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toSafeReturnPath } from './safe-return-path.js';

const SITE = 'https://example.org';

const ORDINARY = [
  '/',
  '/members',
  '/members?tab=2',
  '/members/',
  '/?',
  '/a/b/c.html',
  '/search?q=caf%C3%A9&page=2',
  '/caf%C3%A9',
  '/%E6%97%A5%E6%9C%AC',
  '/files/a%2Fb',
  '/files/a%20b',
  '/go?to=https%3A%2F%2Fexample.net%2Fx',
  '/go?to=https://example.net/x',
  '/go?to=//example.net',
  '/text?lines=a%0D%0Ab',
  '/100%',
  '/100%25',
  '/~kim/.well-known/x',
  '/...',
  '/..a/b..',
  '/a//b',
  '/a;v=1/b',
  '/@kim',
  '/a:b@c',
  '/?//example.net',
  "/it's?(all)=*fine*",
  '/a?b=%',
  '/a|b^c',
];

const TRICKS = [
  '',
  'members',
  '?tab=2',
  '#top',
  'example.net',
  '.example.net',
  '@example.net',
  ':80',
  '//example.net',
  '///example.net',
  '////example.net/x',
  '//example.net@example.org',
  '//user:pw@example.net/',
  '/\\example.net',
  '\\\\example.net',
  '\\/example.net',
  '/\\/example.net',
  '\\example.net',
  '/a\\..\\..\\\\example.net',
  '/%2fexample.net',
  '/%2Fexample.net',
  '%2f%2fexample.net',
  '/%2f%2fexample.net',
  '/%5cexample.net',
  '/%5C%5Cexample.net',
  '/%5c/example.net',
  '/%2f%5cexample.net',
  '/%252fexample.net',
  '/%255cexample.net',
  '/%25252fexample.net',
  '/%252525252525252fexample.net',
  '/%%32%66example.net',
  '/%25%32%66example.net',
  '/%zz/%2e%2e/%2fexample.net',
  '/%c0%afexample.net',
  '/%e0%80%afexample.net',
  '/%u002fexample.net',
  '/%u2215example.net',
  '/\t/example.net',
  '/\n/example.net',
  '/\r\n/example.net',
  '\t//example.net',
  ' //example.net',
  ' /members',
  '/members ',
  '/ /example.net',
  '/%09/example.net',
  '/%0a/example.net',
  '/%0d%0aSet-Cookie:%20a=b',
  '/members%00',
  '/members\u0000',
  '/\u007f/example.net',
  '/members\r\nSet-Cookie: a=b',
  '/%2509/example.net',
  '/.//example.net',
  '/..//example.net',
  '/./\\example.net',
  '/a/..//example.net',
  '/%2e//example.net',
  '/%2e%2e//example.net',
  '/a/%2e%2e/%2fexample.net',
  '/a/%252e%252e%252f%252fexample.net',
  '/..;//example.net',
  '/a/..%3f//example.net',
  '/..',
  '/\uff0fexample.net',
  '/\u2044example.net',
  '/\u2215example.net',
  '/\uff3cexample.net',
  '/%EF%BC%8Fexample.net',
  '/%E2%81%84example.net',
  '/%EF%B9%A8example.net',
  '\uff0f\uff0fexample.net',
  '/\u3002example.net',
  '/\u2028/example.net',
  '/\ufeff/example.net',
  '/%E3%80%80/example.net',
  '/members#//example.net',
  'http://example.net',
  'https://example.net/members',
  'HTTPS://example.net',
  'https:example.net',
  'https:/example.net',
  'https:\\\\example.net',
  'http://example.org@example.net',
  'http://example.org.example.net',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  '\u0001javascript:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://example.net/1',
  `/${'a'.repeat(2048)}`,
];

describe(toSafeReturnPath, () => {
  it.each(ORDINARY)('lets %j through unchanged', (path) => {
    expect(toSafeReturnPath(path)).toBe(path);
  });

  it.each(TRICKS)('refuses %j', (trick) => {
    expect(toSafeReturnPath(trick)).toBeUndefined();
  });

  it('accepts 2048 characters', () => {
    const path = `/${'a'.repeat(2047)}`;
    expect(toSafeReturnPath(path)).toBe(path);
  });

  it('never leads away from the site, however often it is decoded and whatever a browser takes for a slash', () => {
    const pieces = [
      '/',
      '\\',
      '.',
      '..',
      '%',
      '2f',
      '5c',
      '25',
      '%2f',
      '%5C',
      '%09',
      '?',
      '#',
      ':',
    ];
    const more = [
      '@',
      '//',
      'example.net',
      'javascript:',
      'https:',
      '\t',
      '\n',
      ' ',
      ';',
      '\uff0f',
    ];
    const piece = fc.oneof(fc.constantFrom(...pieces, ...more), fc.string({ maxLength: 3 }));
    const trick = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
    const url = fc.oneof(
      trick,
      trick.map((text) => `/${text}`),
      fc.webUrl(),
      fc.string(),
    );
    fc.assert(
      fc.property(url, (text) => {
        const path = toSafeReturnPath(text);
        for (const form of path === undefined ? [] : formsOf(path)) {
          expect(new URL(form, SITE).origin).toBe(SITE);
          expect(new URL(form.replaceAll('\\', '/'), SITE).origin).toBe(SITE);
          expect(new URL(form, SITE).pathname.startsWith('//')).toBe(false);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

/** The path and what becomes of it when it is decoded once and twice. */
function formsOf(path: string): string[] {
  const forms = [path];
  try {
    forms.push(decodeURIComponent(path));
    forms.push(decodeURIComponent(decodeURIComponent(path)));
  } catch {
    // Not percent-encoded: nobody can decode it further.
  }
  return forms;
}
