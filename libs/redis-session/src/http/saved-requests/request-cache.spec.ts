import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  BROWSER,
  TestExchange,
  type TestExchangeInput,
} from '../../../../../test/support/http/test-exchange.js';
import { SAVED_REQUESTS_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { MapSessionRepository } from '../../session/map-session-repository.js';
import { SessionOptionError } from '../../session/session.errors.js';
import {
  continueKeyOf,
  requestedContinueKey,
  nullRequestCache,
  type RequestCache,
  type SavedRequest,
  parseSavedRequests,
} from './request-cache.js';
import { CookieRequestCache } from './cookie-request-cache.js';
import { sign } from '../session-id/cookie-signature.js';
import { SessionRequestCache } from './session-request-cache.js';

const SECRET = 'secret-of-32-characters-or-more!';

/** As a login does: it leads back once. */
async function takeSavedRequest(
  cache: RequestCache,
  exchange: TestExchange,
  key?: string,
): Promise<SavedRequest | undefined> {
  const saved = await cache.getRequest(exchange, key);
  if (saved) await cache.removeRequest(exchange, saved);
  return saved;
}

/** A browser that keeps what each answer sets. */
class Visitor {
  readonly repository = new MapSessionRepository();
  sessionId: string | undefined;
  cookie: string | undefined;

  constructor(readonly cache: RequestCache) {}

  exchange(init: TestExchangeInput = {}): TestExchange {
    const cookies = this.cookie === undefined ? {} : { cookie: this.cookie };
    return new TestExchange({
      repository: this.repository,
      sessionId: this.sessionId,
      ...init,
      headers: { ...BROWSER, ...cookies, ...init.headers },
    });
  }

  /** Asks for a page that needs a login. @returns the key that the login page is told */
  async open(url: string, init: TestExchangeInput = {}): Promise<string | undefined> {
    const exchange = this.exchange({ ...init, url });
    this.cache.saveRequest(exchange);
    await this.receive(exchange);
    return continueKeyOf(exchange);
  }

  /** Logs in. @returns where he is sent, undefined = the default page */
  async login(key?: string): Promise<string | undefined> {
    const exchange = this.exchange({ url: '/login', method: 'POST' });
    const saved = await takeSavedRequest(this.cache, exchange, key);
    await this.receive(exchange);
    return saved?.url;
  }

  private async receive(exchange: TestExchange): Promise<void> {
    this.sessionId = (await exchange.leave()) ?? this.sessionId;
    const setCookie = exchange.addedHeaders.find(([name]) => name === 'Set-Cookie')?.[1];
    if (setCookie !== undefined) this.cookie = setCookie.split(';')[0];
  }
}

const caches: [string, () => RequestCache][] = [
  ['SessionRequestCache', () => new SessionRequestCache()],
  ['CookieRequestCache', () => new CookieRequestCache({ secrets: [SECRET] })],
];

describe.each(caches)('%s', (_, createCache) => {
  let visitor: Visitor;
  beforeEach(() => {
    visitor = new Visitor(createCache());
  });

  it('leads back to the page, query included, once', async () => {
    await visitor.open('/members?tab=2');
    expect(await visitor.login()).toBe('/members?tab=2');
    expect(await visitor.login()).toBeUndefined();
  });

  it('leads each tab back to its own page', async () => {
    const first = await visitor.open('/a');
    const second = await visitor.open('/b');
    expect(first).toMatch(/^[\w-]{8}$/);
    expect(await visitor.login(first)).toBe('/a');
    expect(await visitor.login(first)).toBeUndefined();
    expect(await visitor.login(second)).toBe('/b');
  });

  it('leads back to the newest page when no key came back', async () => {
    await visitor.open('/a');
    await visitor.open('/b');
    expect(await visitor.login()).toBe('/b');
    expect(await visitor.login()).toBe('/a');
  });

  it('keeps the newest three', async () => {
    const oldest = await visitor.open('/a');
    for (const url of ['/b', '/c', '/d']) await visitor.open(url);
    expect(await visitor.login(oldest)).toBeUndefined();
    expect(await visitor.login()).toBe('/d');
    expect(await visitor.login()).toBe('/c');
    expect(await visitor.login()).toBe('/b');
  });

  it('gives a page that is reloaded one place, the first', async () => {
    const key = await visitor.open('/a');
    await visitor.open('/b');
    for (let reloads = 0; reloads < 5; reloads += 1) expect(await visitor.open('/a')).toBe(key);
    expect(await visitor.login()).toBe('/a');
    expect(await visitor.login()).toBe('/b');
  });

  it.each<[string, TestExchangeInput]>([
    ['a form', { method: 'POST', headers: { 'content-type': 'text/plain' } }],
    ['HEAD', { method: 'HEAD' }],
    ['a script', { headers: { 'x-requested-with': 'XMLHttpRequest' } }],
    ['an API client', { headers: { accept: 'application/json' } }],
    ['an event stream', { headers: { accept: 'text/event-stream' } }],
    ['a WebSocket', { headers: { upgrade: 'websocket' } }],
  ])('does not keep %s', async (_kind, init) => {
    expect(await visitor.open('/a', init)).toBeUndefined();
    expect(await visitor.login()).toBeUndefined();
    expect(visitor.sessionId).toBeUndefined();
    expect(visitor.cookie).toBeUndefined();
  });

  it.each(['/favicon.ico', '//example.net', 'http://example.net/', '/a/..//example.net'])(
    'does not keep %s',
    async (url) => {
      expect(await visitor.open(url)).toBeUndefined();
      expect(await visitor.login()).toBeUndefined();
    },
  );
});

describe(SessionRequestCache, () => {
  it('stores method, path and query, and no header', async () => {
    const visitor = new Visitor(new SessionRequestCache());
    const key = await visitor.open('/a?b=c', { headers: { authorization: 'Basic a2ltOmtpbQ==' } });
    const session = await visitor.repository.findById(visitor.sessionId!);
    expect(session?.getAttribute(SAVED_REQUESTS_ATTRIBUTE)).toEqual([
      { key, method: 'GET', url: '/a?b=c' },
    ]);
  });

  it('keeps what another replica saved meanwhile', async () => {
    const visitor = new Visitor(new SessionRequestCache());
    await visitor.open('/a');
    const slow = visitor.exchange({ url: '/b' });
    await slow.sessionRequest?.load();
    await visitor.open('/c');
    visitor.cache.saveRequest(slow);
    await slow.leave();
    expect(await visitor.login()).toBe('/b');
    expect(await visitor.login()).toBe('/c');
    expect(await visitor.login()).toBe('/a');
  });

  it('does not follow what somebody else wrote into the store', async () => {
    const visitor = new Visitor(new SessionRequestCache());
    const exchange = visitor.exchange();
    const session = await exchange.sessionRequest!.getSession();
    session.setAttribute(SAVED_REQUESTS_ATTRIBUTE, [{ key: 'k', method: 'GET', url: '//evil' }]);
    visitor.sessionId = await exchange.leave();
    expect(await visitor.login()).toBeUndefined();
    expect(await visitor.login('k')).toBeUndefined();
  });

  it('keeps nothing on a route without sessions', async () => {
    const cache = new SessionRequestCache();
    const exchange = new TestExchange({ url: '/a', headers: BROWSER });
    cache.saveRequest(exchange);
    expect(continueKeyOf(exchange)).toBeUndefined();
    expect(await takeSavedRequest(cache, exchange)).toBeUndefined();
  });
});

describe(CookieRequestCache, () => {
  const cache = new CookieRequestCache({ secrets: [SECRET] });

  function setCookieOf(url: string, isSecure = false, cookie = ''): string {
    const exchange = new TestExchange({ url, isSecure, headers: { ...BROWSER, cookie } });
    cache.saveRequest(exchange);
    return exchange.addedHeaders[0]![1];
  }

  const open = (cookie: string) => cache.getRequest(new TestExchange({ headers: { cookie } }));

  it('writes a cookie that scripts cannot read and other sites do not send along', () => {
    expect(setCookieOf('/a')).toMatch(
      /^SAVED_REQUESTS=[\w-]+\.[\w-]{43}; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(setCookieOf('/a', true)).toMatch(/; Secure/);
  });

  it('stores nothing on the server', async () => {
    const visitor = new Visitor(cache);
    await visitor.open('/a');
    expect(visitor.sessionId).toBeUndefined();
  });

  it('deletes the cookie with the last request', async () => {
    const cookie = setCookieOf('/a').split(';')[0]!;
    const exchange = new TestExchange({ headers: { cookie } });
    await takeSavedRequest(cache, exchange);
    expect(exchange.addedHeaders).toEqual([
      ['Set-Cookie', 'SAVED_REQUESTS=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax'],
    ]);
  });

  it('drops the oldest requests when they are too long for a cookie', async () => {
    const long = (name: string) => `/${name}?${'q'.repeat(2000)}`;
    const first = setCookieOf(long('a'));
    const second = setCookieOf(long('b'), false, first.split(';')[0]);
    expect(second.length).toBeLessThan(4096);
    expect((await open(second.split(';')[0]!))?.url).toBe(long('b'));
  });

  it.each([
    ['an unsigned one', Buffer.from('[{"method":"GET","url":"/a"}]').toString('base64url')],
    ['one signed by somebody else', sign('W10', 'another-secret-of-32-characters!')],
    ['a signed one that is not ours', sign('bm8', SECRET)],
    ['an empty one', ''],
  ])('ignores %s', async (_, value) => {
    expect(await open(`SAVED_REQUESTS=${value}`)).toBeUndefined();
  });

  it('does not follow a signed URL to another site', async () => {
    const value = Buffer.from('[{"method":"GET","url":"//evil"}]').toString('base64url');
    expect(await open(`SAVED_REQUESTS=${sign(value, SECRET)}`)).toBeUndefined();
  });

  it('reads what an old secret signed', async () => {
    const cookie = setCookieOf('/a').split(';')[0]!;
    const renewed = new CookieRequestCache({
      secrets: ['newer-secret-of-32-characters-!!', SECRET],
    });
    const request = await renewed.getRequest(new TestExchange({ headers: { cookie } }));
    expect(request?.url).toBe('/a');
  });

  it.each([[[]], [['short']]])('refuses the secrets %j without naming them', (secrets) => {
    expect(() => new CookieRequestCache({ secrets })).toThrow(SessionOptionError);
    expect(() => new CookieRequestCache({ secrets })).not.toThrow('short');
  });
});

describe('nullRequestCache', () => {
  it('keeps nothing', async () => {
    const visitor = new Visitor(nullRequestCache);
    expect(await visitor.open('/a')).toBeUndefined();
    expect(await visitor.login()).toBeUndefined();
  });
});

describe(parseSavedRequests, () => {
  it.each([undefined, null, 'x', {}, [null], [1], [{ url: '/a' }], [{ method: 'GET', url: 2 }]])(
    'takes nothing from %j',
    (stored) => {
      expect(parseSavedRequests(stored)).toEqual([]);
    },
  );
});

describe(requestedContinueKey, () => {
  it.each([
    ['/login?continue=Xy3_9aQz', 'Xy3_9aQz'],
    ['/login?error=1&continue=a%20b', 'a b'],
    ['/login', undefined],
    ['/continue=1', undefined],
    ['/login?', undefined],
  ])('finds in %s the key %s', (url, key) => {
    expect(requestedContinueKey(new TestExchange({ url }))).toBe(key);
  });
});
