import { describe, expect, it } from '@jest/globals';
import { requestWith, responseTo } from '../../../../../test/support/http/node-messages.js';
import { SessionOptionError } from '../../session/session.errors.js';
import {
  CompositeSessionIdResolver,
  HeaderSessionIdResolver,
  CookieSessionIdResolver,
} from './session-id-resolver.js';
import { resolveCookieOptions } from './cookie-options.js';

function cookieResolver(rolling: boolean): CookieSessionIdResolver {
  return CookieSessionIdResolver.of({
    ...resolveCookieOptions({ rolling }),
    isSecure: () => false,
  });
}

function compositeWith(rolling = false): CompositeSessionIdResolver {
  const header = HeaderSessionIdResolver.xAuthToken();
  return new CompositeSessionIdResolver([header, cookieResolver(rolling)]);
}

describe(CompositeSessionIdResolver, () => {
  it('finds no id when no delegate does', () => {
    expect(compositeWith().resolveSessionIds(requestWith())).toEqual([]);
  });

  it('finds the id of the first, of the second, and the distinct ids of both in order', () => {
    const idsOf = (headers: object) =>
      compositeWith().resolveSessionIds(requestWith({ ...headers }));
    expect(idsOf({ 'x-auth-token': 'a' })).toEqual(['a']);
    expect(idsOf({ cookie: 'SESSION=b' })).toEqual(['b']);
    expect(idsOf({ 'x-auth-token': 'a', cookie: 'SESSION=b; SESSION=a' })).toEqual(['a', 'b']);
  });

  it('announces and expires in every way', () => {
    const request = requestWith();
    const response = responseTo(request);
    compositeWith().setSessionId(request, response, { sessionId: 'a' });
    expect(response.getHeaders()).toEqual({
      'x-auth-token': 'a',
      'set-cookie': ['SESSION=a; Path=/; HttpOnly; SameSite=Lax'],
    });
    compositeWith().expireSession(request, response);
    expect(response.getHeader('x-auth-token')).toBe('');
    expect(String(response.getHeader('set-cookie'))).toContain('Max-Age=0');
  });

  it('renews the id when one delegate asks for it', () => {
    expect(compositeWith(false).mustRenewSessionId(requestWith())).toBe(false);
    expect(compositeWith(true).mustRenewSessionId(requestWith())).toBe(true);
  });

  it('refuses to be made of nothing', () => {
    expect(() => new CompositeSessionIdResolver([])).toThrow(SessionOptionError);
  });
});
