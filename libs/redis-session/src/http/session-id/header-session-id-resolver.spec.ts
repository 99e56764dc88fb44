import { describe, expect, it } from '@jest/globals';
import { requestWith, responseTo } from '../../../../../test/support/http/node-messages.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { HeaderSessionIdResolver } from './session-id-resolver.js';

describe.each([
  ['X-Auth-Token', HeaderSessionIdResolver.xAuthToken()],
  ['Authentication-Info', HeaderSessionIdResolver.authenticationInfo()],
  ['Custom-Header', new HeaderSessionIdResolver('Custom-Header')],
])('HeaderSessionIdResolver for %s', (name, resolver) => {
  it('finds no id without the header or in an empty one', () => {
    expect(resolver.resolveSessionIds(requestWith())).toEqual([]);
    expect(resolver.resolveSessionIds(requestWith({ [name.toLowerCase()]: ' ' }))).toEqual([]);
  });

  it('finds the first value', () => {
    expect(resolver.resolveSessionIds(requestWith({ [name.toLowerCase()]: 'a' }))).toEqual(['a']);
    expect(resolver.resolveSessionIds(requestWith({ [name.toLowerCase()]: 'a, b' }))).toEqual([
      'a',
    ]);
  });

  it('sets the header once, and empties it when the session ends', () => {
    const request = requestWith();
    const response = responseTo(request);
    resolver.setSessionId(request, response, { sessionId: 'a' });
    resolver.setSessionId(request, response, { sessionId: 'b' });
    expect(response.getHeaders()).toEqual({ [name.toLowerCase()]: 'b' });
    resolver.expireSession(request, response);
    expect(response.getHeaders()).toEqual({ [name.toLowerCase()]: '' });
  });
});

describe(HeaderSessionIdResolver, () => {
  it.each(['', 'a b', 'a:', 'ä', 'a\r\nb'])('refuses the name %j', (name) => {
    expect(() => new HeaderSessionIdResolver(name)).toThrow(SessionOptionError);
  });
});
