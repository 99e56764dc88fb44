import { beforeEach, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestWith, responseTo } from '../../../../../test/support/http/node-messages.js';
import { resolveCookieOptions, type CookieOptions } from './cookie-options.js';
import { CookieSessionIdResolver } from './session-id-resolver.js';
import { sign } from './cookie-signature.js';

const SECRET = 'current-secret-of-32-characters!';
const OLD_SECRET = 'previous-secret-of-32-characters';
const DELETION =
  'SESSION=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax';

function resolverWith(options: CookieOptions = {}): CookieSessionIdResolver {
  return CookieSessionIdResolver.of({ ...resolveCookieOptions(options), isSecure: () => false });
}

describe(CookieSessionIdResolver, () => {
  let request: IncomingMessage;
  let response: ServerResponse;

  beforeEach(() => {
    request = requestWith();
    response = responseTo(request);
  });

  it('finds no id without a cookie', () => {
    expect(resolverWith().resolveSessionIds(request)).toEqual([]);
  });

  it('finds the distinct ids in the order of the cookies', () => {
    const cookie = 'SESSION=a; other=x; SESSION=b; SESSION=a';
    expect(resolverWith().resolveSessionIds(requestWith({ cookie }))).toEqual(['a', 'b']);
  });

  it('uses the configured name and path to announce and to expire', () => {
    const resolver = resolverWith({ name: 'sid', path: '/app' });
    expect(resolver.resolveSessionIds(requestWith({ cookie: 'sid=a; SESSION=b' }))).toEqual(['a']);
    resolver.setSessionId(request, response, { sessionId: 'a' });
    expect(response.getHeader('set-cookie')).toEqual(['sid=a; Path=/app; HttpOnly; SameSite=Lax']);
    resolver.expireSession(request, response);
    expect(response.getHeader('set-cookie')).toEqual([
      DELETION.replace('SESSION', 'sid').replace('Path=/', 'Path=/app'),
    ]);
  });

  it('sends one cookie when the same id is announced twice', () => {
    const resolver = resolverWith();
    resolver.setSessionId(request, response, { sessionId: 'a' });
    resolver.setSessionId(request, response, { sessionId: 'a' });
    expect(response.getHeader('set-cookie')).toEqual(['SESSION=a; Path=/; HttpOnly; SameSite=Lax']);
  });

  it('sends only the last of two ids, and only the deletion after an id', () => {
    const resolver = resolverWith();
    resolver.setSessionId(request, response, { sessionId: 'a' });
    resolver.setSessionId(request, response, { sessionId: 'b' });
    expect(response.getHeader('set-cookie')).toEqual(['SESSION=b; Path=/; HttpOnly; SameSite=Lax']);
    resolver.expireSession(request, response);
    expect(response.getHeader('set-cookie')).toEqual([DELETION]);
  });

  it('keeps the other cookies of the response', () => {
    const resolver = resolverWith();
    response.setHeader('Set-Cookie', 'theme=dark');
    resolver.setSessionId(request, response, { sessionId: 'a' });
    response.appendHeader('Set-Cookie', 'lang=de');
    resolver.setSessionId(request, response, { sessionId: 'b' });
    expect(response.getHeader('set-cookie')).toEqual([
      'theme=dark',
      'lang=de',
      'SESSION=b; Path=/; HttpOnly; SameSite=Lax',
    ]);
  });

  it('announces again after the headers were dropped', () => {
    const resolver = resolverWith();
    resolver.setSessionId(request, response, { sessionId: 'a' });
    response.removeHeader('Set-Cookie');
    resolver.setSessionId(request, response, { sessionId: 'b' });
    expect(response.getHeader('set-cookie')).toEqual(['SESSION=b; Path=/; HttpOnly; SameSite=Lax']);
  });

  it('prefers the Max-Age of the announcement', () => {
    const resolver = resolverWith({ maxAgeSeconds: 100 });
    resolver.setSessionId(request, response, { sessionId: 'a', maxAgeSeconds: 7 });
    expect(String(response.getHeader('set-cookie'))).toContain('Max-Age=7;');
    resolver.setSessionId(request, response, { sessionId: 'a', maxAgeSeconds: undefined });
    expect(String(response.getHeader('set-cookie'))).toContain('Max-Age=100;');
  });

  describe('renewal', () => {
    it('defaults to none', () => {
      expect(resolverWith().mustRenewSessionId(request)).toBe(false);
    });

    it('is due on every request of a rolling cookie', () => {
      expect(resolverWith({ rolling: true }).mustRenewSessionId(request)).toBe(true);
    });

    it('is due for the request whose cookie an old secret signed, and for no other', () => {
      const resolver = resolverWith({ secrets: [SECRET, OLD_SECRET] });
      const old = requestWith({ cookie: `SESSION=${sign('a', OLD_SECRET)}` });
      const current = requestWith({ cookie: `SESSION=${sign('a', SECRET)}` });
      expect(resolver.resolveSessionIds(old)).toEqual(['a']);
      expect(resolver.resolveSessionIds(current)).toEqual(['a']);
      expect(resolver.mustRenewSessionId(old)).toBe(true);
      expect(resolver.mustRenewSessionId(current)).toBe(false);
    });
  });
});
