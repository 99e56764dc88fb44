import { describe, expect, it } from '@jest/globals';
import { SessionOptionError } from 'nestjs-redis-session';
import {
  BasicEntryPoint,
  clearSiteData,
  CompositeSessionIdResolver,
  CookieRequestCache,
  HeaderSessionIdResolver,
  LoginPageEntryPoint,
} from 'nestjs-redis-session/http';
import { createSessionTables } from 'nestjs-redis-session/postgres';

type Make = () => unknown;

describe('A part that an application makes itself', () => {
  it.each<[sentence: string, wrong: Make, ...right: Make[]]>([
    [
      'realm must be printable ASCII without quotes and backslashes, got "a\\"b".',
      () => new BasicEntryPoint('a"b'),
      () => new BasicEntryPoint('Orders (test)'),
    ],
    [
      'loginPage must be a path that starts with one "/", or an http(s) URL, got "login".',
      () => new LoginPageEntryPoint('login'),
      () => new LoginPageEntryPoint('/login'),
      () => new LoginPageEntryPoint('https://login.example.com/'),
    ],
    [
      'clearSiteData must be some of cache, cookies, storage, executionContexts, *, got [].',
      () => clearSiteData(),
      () => clearSiteData('cache', 'cookies', 'storage', 'executionContexts'),
      () => clearSiteData('*'),
    ],
    [
      'delegates must be at least one resolver, got none.',
      () => new CompositeSessionIdResolver([]),
      () => new CompositeSessionIdResolver([new HeaderSessionIdResolver('X-Auth-Token')]),
    ],
    [
      'headerName must be a valid header name, got "a b".',
      () => new HeaderSessionIdResolver('a b'),
      () => new HeaderSessionIdResolver('X-Auth-Token'),
    ],
    [
      'secrets must be a list of strings of at least 32 characters each.',
      () => new CookieRequestCache({ secrets: ['short'] }),
      () => new CookieRequestCache({ secrets: ['x'.repeat(32)] }),
    ],
    [
      'table must be a name of lower case letters, digits and "_", with or without a schema before it, got "Sessions".',
      () => createSessionTables('Sessions'),
      () => createSessionTables('sessions_2'),
      () => createSessionTables('web.sessions'),
    ],
  ])('is refused: %s', (sentence, wrong, ...right) => {
    expect(wrong).toThrow(new SessionOptionError(sentence));
    for (const make of right) expect(make).not.toThrow();
  });
});
