import fc from 'fast-check';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type IncomingMessage } from 'node:http';
import { CookieJar } from 'tough-cookie';
import { requestWith } from '../../../../../test/support/http/node-messages.js';
import { resolveCookieOptions, type CookieOptions } from './cookie-options.js';
import {
  CookieSerializer,
  decodeCookieValue,
  encodeCookieValue,
  findCookieValues,
} from './cookie-serializer.js';
import { sign } from './cookie-signature.js';

const UUID = '33fdd1b6-b496-4b33-9f7d-df96679d32fe';
const UUID_OF_SPRING = 'MzNmZGQxYjYtYjQ5Ni00YjMzLTlmN2QtZGY5NjY3OWQzMmZl';
const SECRET = 'current-secret-of-32-characters!';
const OLD_SECRET = 'previous-secret-of-32-characters';

const isHttps = (request: IncomingMessage): boolean =>
  request.headers['x-forwarded-proto'] === 'https';
const HTTPS = { 'x-forwarded-proto': 'https' };

function serializerWith(options: CookieOptions = {}): CookieSerializer {
  return new CookieSerializer({ ...resolveCookieOptions(options), isSecure: isHttps });
}

function read(cookie: string | undefined, options?: CookieOptions): string[] {
  const request = requestWith(cookie === undefined ? {} : { cookie });
  const values = serializerWith(options).readCookieValues(request);
  return values.map(({ value }) => value);
}

function write(value: string, options?: CookieOptions, headers = {}): string {
  return serializerWith(options).serialize(requestWith(headers), value);
}

/** What a browser at `url` sends back after it got the line. */
function sentBack(line: string, url: string): string {
  const jar = new CookieJar();
  jar.setCookieSync(line, url);
  return jar.getCookieStringSync(url);
}

afterEach(() => {
  jest.useRealTimers();
});

describe('readCookieValues', () => {
  it('gives nothing without a Cookie header or without the cookie', () => {
    expect(read(undefined)).toEqual([]);
    expect(read('')).toEqual([]);
    expect(read('other=1')).toEqual([]);
  });

  it('gives the values of the configured name in their order', () => {
    expect(read('SESSION=1; other=2; SESSION=3')).toEqual(['1', '3']);
    expect(read('SESSION=1; id=2', { name: 'id' })).toEqual(['2']);
  });

  it('leaves out empty values', () => {
    expect(read('SESSION=; SESSION=a; SESSION=""')).toEqual(['a']);
  });

  it('unquotes a value', () => {
    expect(read('SESSION="abc"')).toEqual(['abc']);
  });

  it('finds the signed cookie behind a thousand forged ones', () => {
    const forged = Array.from({ length: 1000 }, (_, index) => `SESSION=${index}.${'A'.repeat(43)}`);
    const header = [...forged, `SESSION=${sign('id', SECRET)}`].join('; ');
    expect(read(header, { secrets: [SECRET] })).toEqual(['id']);
  });

  it('skips what is not base64', () => {
    const header = `SESSION=${UUID}; SESSION=*; SESSION=${UUID_OF_SPRING}; SESSION=/w==`;
    expect(read(header, { encoding: 'base64' })).toEqual([UUID]);
  });

  it('reads large and binary values without harm', () => {
    const large = 'a'.repeat(20_000);
    expect(read(`SESSION=${large}`)).toEqual([large]);
    expect(read(`SESSION=${large}`, { secrets: [SECRET] })).toEqual([]);
    expect(read('SESSION=\u0000\u00ff\u0001', { encoding: 'base64' })).toEqual([]);
  });

  it('reads a cookie named __proto__', () => {
    expect(read('__proto__=a; __proto__=b', { name: '__proto__' })).toEqual(['a', 'b']);
  });

  it.each<CookieOptions>([
    {},
    { encoding: 'base64' },
    { secrets: [SECRET, OLD_SECRET] },
    { encoding: 'base64', secrets: [SECRET], jvmRoute: 'node1' },
  ])('never throws, whatever the header, with %j', (options) => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.oneof(fc.constantFrom('SESSION=', ';', '%', '.', '"', '='), fc.string()))
        .map((parts) => parts.join('')),
    );
    const serializer = serializerWith(options);
    fc.assert(
      fc.property(hostile, (cookie) => {
        const values = serializer.readCookieValues(requestWith({ cookie }));
        expect(values.every(({ value }) => value.length > 0)).toBe(true);
      }),
    );
  });
});

describe('serialize', () => {
  it('defaults to a cookie of the browser session', () => {
    expect(write('id')).toBe('SESSION=id; Path=/; HttpOnly; SameSite=Lax');
  });

  it('writes the id as Spring Session does when the encoding is base64', () => {
    expect(write(UUID, { encoding: 'base64' })).toContain(`SESSION=${UUID_OF_SPRING};`);
    expect(write('a', { encoding: 'base64' })).toContain('SESSION=YQ==;');
  });

  it.each<[CookieOptions, string]>([
    [{ path: '/app' }, 'SESSION=id; Path=/app; HttpOnly; SameSite=Lax'],
    [{ name: 'sid' }, 'sid=id; Path=/; HttpOnly; SameSite=Lax'],
    [{ httpOnly: false }, 'SESSION=id; Path=/; SameSite=Lax'],
    [{ sameSite: 'strict' }, 'SESSION=id; Path=/; HttpOnly; SameSite=Strict'],
    [{ sameSite: null }, 'SESSION=id; Path=/; HttpOnly'],
    [{ domain: 'example.com' }, 'SESSION=id; Domain=example.com; Path=/; HttpOnly; SameSite=Lax'],
    [{ priority: 'high' }, 'SESSION=id; Path=/; HttpOnly; Priority=High; SameSite=Lax'],
    [
      { partitioned: true, sameSite: 'none', secure: true },
      'SESSION=id; Path=/; HttpOnly; Secure; Partitioned; SameSite=None',
    ],
  ])('with %j writes %s', (options, line) => {
    expect(write('id', options)).toBe(line);
  });
});

describe('secure', () => {
  it.each<[CookieOptions['secure'], object, boolean]>([
    ['auto', {}, false],
    ['auto', HTTPS, true],
    [true, {}, true],
    [false, HTTPS, false],
    [(request) => request.headers.host === 'a', { host: 'a' }, true],
    [(request) => request.headers.host === 'a', { ...HTTPS, host: 'b' }, false],
  ])('%s with the headers %j: %s', (secure, headers, isSecure) => {
    expect(write('id', { secure }, headers).includes('; Secure')).toBe(isSecure);
  });
});

describe('maxAgeSeconds', () => {
  it('writes Max-Age and the same instant as Expires', () => {
    jest.useFakeTimers({ now: new Date('2026-01-01T00:00:00Z') });
    expect(write('id', { maxAgeSeconds: 100 })).toBe(
      'SESSION=id; Max-Age=100; Path=/; Expires=Thu, 01 Jan 2026 00:01:40 GMT; HttpOnly; SameSite=Lax',
    );
  });

  it('yields to the age of a single call', () => {
    const serializer = serializerWith({ maxAgeSeconds: 100 });
    expect(serializer.serialize(requestWith(), 'id', 7)).toContain('; Max-Age=7;');
    expect(serializer.serialize(requestWith(), 'id', null)).not.toMatch(/Max-Age|Expires/);
  });

  it('is cut to what 32-bit browsers understand', () => {
    const line = serializerWith().serialize(requestWith(), 'id', Number.MAX_SAFE_INTEGER);
    expect(line).toContain('; Max-Age=2147483647;');
  });
});

describe('the deletion cookie', () => {
  const options: CookieOptions = {
    domain: 'example.com',
    encoding: 'base64',
    jvmRoute: 'node1',
    maxAgeSeconds: 100,
    path: '/app',
    secrets: [SECRET],
    secure: true,
  };

  it('is empty and over, with the attributes of the cookie that it deletes', () => {
    expect(write('', options)).toBe(
      'SESSION=; Max-Age=0; Domain=example.com; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax',
    );
  });

  it('makes a browser forget the cookie', () => {
    const url = 'https://example.com/app';
    const jar = new CookieJar();
    jar.setCookieSync(write('id', options), url);
    expect(jar.getCookieStringSync(url)).toContain('SESSION=');
    jar.setCookieSync(write('', options), url);
    expect(jar.getCookieStringSync(url)).toBe('');
  });
});

it('makes each line as if it were the first one, whatever lines went before', () => {
  const options: CookieOptions = { domainPattern: /^.+?\.(\w+\.\w+)$/ };
  const shared = serializerWith(options);
  const hosts = ['a.example.org', 'b.example.net', 'localhost'];
  const settings = [
    ...[{}, { httpOnly: false }, { sameSite: 'strict' }, { sameSite: false }],
    ...[{ secure: true }, { secure: false }],
  ] as const;
  const cases = hosts.flatMap((host) =>
    [{ host }, { host, ...HTTPS }].flatMap((headers) =>
      settings.flatMap((own) =>
        ['one', '', 'two'].flatMap((value) =>
          [null, 60].map((age) => ({ headers, own, value, age })),
        ),
      ),
    ),
  );
  jest.useFakeTimers();
  for (const { headers, own, value, age } of [...cases, ...cases.toReversed()]) {
    const args = [requestWith(headers), value, age, own] as const;
    expect(shared.serialize(...args)).toBe(serializerWith(options).serialize(...args));
  }
});

describe('domainPattern', () => {
  const domainPattern = /.+?\.(\w+\.[a-z]+)/g;

  it.each([
    ['child.sub.example.com', 'example.com'],
    ['CHILD.example.COM:8080', 'example.COM'],
    ['example.com', undefined],
    ['localhost:3000', undefined],
    ['127.0.0.1', undefined],
    ['[::1]:3000', undefined],
    ['a.example.com/evil', undefined],
    [`${'a'.repeat(10_000)}.example.com`, undefined],
    [undefined, undefined],
  ])('for the host %s gives the domain %s', (host, domain) => {
    const line = write('id', { domainPattern }, { host });
    expect(/; Domain=([^;]*)/.exec(line)?.[1]).toBe(domain);
  });

  it('omits a domain that is none, whatever the pattern let through', () => {
    const line = write('id', { domainPattern: /(.*)/ }, { host: 'a; Path=/evil' });
    expect(line).toBe('SESSION=id; Path=/; HttpOnly; SameSite=Lax');
  });

  it('gives the same domain to every request', () => {
    const serializer = serializerWith({ domainPattern });
    const request = requestWith({ host: 'a.example.com' });
    const lines = [1, 2, 3].map(() => serializer.serialize(request, 'id'));
    expect(new Set(lines)).toEqual(new Set([lines[0]]));
    expect(lines[0]).toContain('Domain=example.com');
  });

  it('reads the name of an HTTP/2 request', () => {
    const line = write('id', { domainPattern }, { ':authority': 'a.example.com' });
    expect(line).toContain('Domain=example.com');
  });
});

describe('jvmRoute', () => {
  it('stands at the end of the value', () => {
    expect(write('id', { jvmRoute: 'node1' })).toContain('SESSION=id.node1;');
    expect(write('id', { jvmRoute: 'node1', secrets: [SECRET] })).toContain('.node1;');
  });

  it('is taken off when it is there', () => {
    const header = 'SESSION=a.node1; SESSION=b; SESSION=c.node2; SESSION=d.node1.node1';
    expect(read(header, { jvmRoute: 'node1' })).toEqual(['a', 'b', 'c.node2', 'd.node1']);
  });

  it('alone is no value', () => {
    expect(read('SESSION=.node1; SESSION=a.node1', { jvmRoute: 'node1' })).toEqual(['a']);
  });
});

describe('secrets', () => {
  const secrets = [SECRET, OLD_SECRET];

  it('sign with the first', () => {
    expect(write('id', { secrets })).toContain(`SESSION=${sign('id', SECRET)};`);
  });

  it('leave out what is unsigned or signed by someone else', () => {
    const foreign = sign('id', 'a-secret-that-someone-else-thought-of');
    expect(
      read(`SESSION=id; SESSION=${foreign}; SESSION=${sign('ok', SECRET)}`, { secrets }),
    ).toEqual(['ok']);
  });

  it('tell which cookie an old one signed', () => {
    const cookie = `SESSION=${sign('a', OLD_SECRET)}; SESSION=${sign('b', SECRET)}`;
    expect(serializerWith({ secrets }).readCookieValues(requestWith({ cookie }))).toEqual([
      { value: 'a', isOld: true },
      { value: 'b', isOld: false },
    ]);
  });
});

describe.each<CookieOptions>([
  {},
  { encoding: 'base64' },
  { secrets: [SECRET] },
  { encoding: 'base64', jvmRoute: 'node1', secrets: [SECRET] },
  { name: '__Host-SESSION', secure: true, maxAgeSeconds: 60 },
])('with %j', (options) => {
  it('reads every id back that a browser got', () => {
    const serializer = serializerWith(options);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (id) => {
        const line = serializer.serialize(requestWith(HTTPS), id);
        const cookie = sentBack(line, 'https://example.com/cart');
        expect(serializer.readCookieValues(requestWith({ cookie }))).toEqual([
          { value: id, isOld: false },
        ]);
      }),
    );
  });
});

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
