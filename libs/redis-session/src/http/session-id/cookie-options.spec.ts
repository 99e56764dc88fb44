import { describe, expect, it } from '@jest/globals';
import { SessionOptionError } from '../../session/session.errors.js';
import { resolveCookieOptions, type CookieOptions } from './cookie-options.js';

const SECRET = 'a-secret-of-at-least-32-characters';

function refusalOf(options: unknown): string {
  try {
    resolveCookieOptions(options as CookieOptions);
  } catch (error) {
    if (error instanceof SessionOptionError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe(resolveCookieOptions, () => {
  it('defaults to a host-only, script-proof, same-site cookie of the browser session', () => {
    expect(resolveCookieOptions()).toEqual({
      encoding: 'plain',
      httpOnly: true,
      maxAgeSeconds: null,
      name: 'SESSION',
      partitioned: false,
      path: '/',
      rolling: false,
      sameSite: 'lax',
      secrets: [],
      secure: 'auto',
    });
  });

  it('takes undefined for not given, and null for what it says', () => {
    const options = resolveCookieOptions({ name: undefined, domain: undefined, sameSite: null });
    expect(options.name).toBe('SESSION');
    expect(options.sameSite).toBeNull();
  });

  it.each<CookieOptions>([
    { name: '__Host-SESSION', secure: true },
    { name: '__Secure-SESSION', secure: true, domain: 'example.com', path: '/app' },
    { name: '__proto__' },
    { domain: 'child.sub.example.com' },
    { domain: 'localhost' },
    { domain: '127.0.0.1' },
    { domainPattern: /.+?\.(\w+\.[a-z]+)/ },
    { sameSite: 'none' },
    { sameSite: 'none', partitioned: true, secure: () => true },
    { maxAgeSeconds: 0 },
    { secrets: [SECRET, SECRET.toUpperCase()] },
    { jvmRoute: 'node_1-a', priority: 'high', encoding: 'base64', rolling: true },
  ])('accepts %j', (options) => {
    expect(resolveCookieOptions(options)).toMatchObject(options);
  });

  it.each([
    [{ name: '' }, 'cookie.name must be a token of RFC 6265, such as "SESSION", got "".'],
    [{ name: 'a b' }, 'cookie.name'],
    [{ name: 'a;b' }, 'cookie.name'],
    [{ name: 'sitzungß' }, 'cookie.name'],
    [{ name: null }, 'cookie.name'],
    [{ path: '' }, 'cookie.path'],
    [{ path: 'app' }, 'cookie.path'],
    [{ path: '/a;b' }, 'cookie.path'],
    [{ path: '/a\n' }, 'cookie.path'],
    [{ path: '/ä' }, 'cookie.path'],
    [{ domain: '.example.com' }, 'cookie.domain'],
    [{ domain: '-example.com' }, 'cookie.domain'],
    [{ domain: 'example..com' }, 'cookie.domain'],
    [{ domain: 'example.-com' }, 'cookie.domain'],
    [{ domain: 'example-.com' }, 'cookie.domain'],
    [{ domain: 'example.com.' }, 'cookie.domain'],
    [{ domain: 'example.com-' }, 'cookie.domain'],
    [{ domain: 'exa mple.com' }, 'cookie.domain'],
    [{ domain: '' }, 'cookie.domain'],
    [{ domain: `${'a'.repeat(64)}.com` }, 'cookie.domain'],
    [{ domainPattern: '(.*)' }, 'cookie.domainPattern'],
    [{ sameSite: 'Lax' }, 'cookie.sameSite must be "lax", "strict", "none" or null, got "Lax".'],
    [{ secure: 'yes' }, 'cookie.secure'],
    [{ httpOnly: 1 }, 'cookie.httpOnly must be true or false, got 1.'],
    [{ partitioned: 'true' }, 'cookie.partitioned'],
    [{ rolling: null }, 'cookie.rolling must be true or false, got null.'],
    [{ priority: 'High' }, 'cookie.priority'],
    [{ encoding: 'base64url' }, 'cookie.encoding'],
    [
      { maxAgeSeconds: -1 },
      'cookie.maxAgeSeconds must be null or an integer from 0 to 2147483647, got -1.',
    ],
    [{ maxAgeSeconds: 1.5 }, 'cookie.maxAgeSeconds'],
    [{ maxAgeSeconds: Number.NaN }, 'cookie.maxAgeSeconds'],
    [{ maxAgeSeconds: 2 ** 31 }, 'cookie.maxAgeSeconds'],
    [{ maxAgeSeconds: '60' }, 'cookie.maxAgeSeconds'],
    [{ jvmRoute: '' }, 'cookie.jvmRoute'],
    [{ jvmRoute: 'a.b' }, 'cookie.jvmRoute'],
    [{ jvmRoute: 'a;b' }, 'cookie.jvmRoute'],
    [{ secrets: SECRET }, 'cookie.secrets'],
    [
      { samesite: 'lax' },
      'cookie.samesite must be left out: there is no such option. Did you mean cookie.sameSite?',
    ],
  ])('refuses %j', (options, message) => {
    expect(refusalOf(options)).toContain(message);
  });

  it('refuses a short secret without telling it', () => {
    const message = refusalOf({ secrets: [SECRET, 'hunter2'] });
    expect(message).toBe(
      'cookie.secrets must be a list of strings of at least 32 characters each.',
    );
  });

  it.each([
    [{ domain: 'example.com', domainPattern: /(.*)/ }, 'cookie.domain and cookie.domainPattern'],
    [{ domainPattern: /(.*)/, domain: 'example.com' }, 'cookie.domain and cookie.domainPattern'],
    [{ sameSite: 'none', secure: false }, 'cookie.secure must be true or "auto"'],
    [{ partitioned: true, secure: false }, 'cookie.secure must be true or "auto"'],
    [{ name: '__Host-id' }, 'cookie.secure must be true'],
    [{ name: '__Host-id', secure: () => true }, 'cookie.secure must be true'],
    [{ name: '__host-id', secure: false }, 'cookie.secure must be true'],
    [{ name: '__Secure-id', secure: 'auto' }, 'cookie.secure must be true'],
    [{ name: '__Host-id', secure: true, path: '/app' }, 'cookie.path must be "/"'],
    [{ name: '__Host-id', secure: true, domain: 'example.com' }, 'must be left out'],
    [{ name: '__Host-id', secure: true, domainPattern: /(.*)/ }, 'must be left out'],
  ])('refuses the combination %j', (options, message) => {
    expect(refusalOf(options)).toContain(message);
  });
});
