import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonSessionCodec } from './codec.js';
import { SessionEncodingError } from '../session.errors.js';

const encode = (value: unknown): string => jsonSessionCodec.encode(value, 'cart');
const decode = (text: string): unknown => jsonSessionCodec.decode(text, 'cart');

class Cyclic {
  readonly self = this;
}

class Visit {
  constructor(readonly city: string) {}
}

class Hidden {
  readonly #city = 'Seoul';

  get city(): string {
    return this.#city;
  }
}

describe('jsonSessionCodec', () => {
  it('gives back any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        expect(JSON.stringify(decode(encode(value)))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('gives back a date as its text', () => {
    expect(decode(encode({ at: new Date(0) }))).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  it('leaves out what is undefined', () => {
    expect(decode(encode({ a: undefined, b: 1 }))).toEqual({ b: 1 });
  });

  it.each([
    '{"__proto__":{"admin":true}}',
    '{"\\u005f_proto__":{"admin":true}}',
    '[{"a":{"__proto__":{"admin":true}}}]',
  ])('cannot set a prototype: %s', (text) => {
    const value = decode(text);
    const inner = Array.isArray(value) ? (value[0] as { a: object }).a : (value as object);
    expect(Object.getPrototypeOf(inner)).toBe(Object.prototype);
    expect(Object.keys(inner)).toEqual([]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('drops constructor.prototype', () => {
    expect(Object.keys(decode('{"constructor":{"prototype":{"admin":true}}}') as object)).toEqual(
      [],
    );
  });

  it.each(['', '{', 'undefined', "{'a':1}", '\u00ac\u00ed\u0000\u0005'])(
    'cannot read %j',
    (text) => {
      expect(() => decode(text)).toThrow();
    },
  );

  it.each<[string, unknown]>([
    ['cart is a function', () => 1],
    ['cart is a symbol', Symbol('s')],
    ['cart.n is a bigint', { n: 1n }],
    ['cart[1].n is not a finite number', [0, { n: NaN }]],
    ['cart.a.b is not a finite number', { a: { b: -Infinity } }],
    ['cart is a Map', new Map()],
    ['cart[0] is a Set', [new Set()]],
    ['cart.later is a Promise', { later: Promise.resolve() }],
    ['cart is a TypeError', new TypeError('x')],
    ['cart is a RegExp', /x/],
    ['cart is a typed array', new Uint8Array(2)],
    ['cart.self contains itself', new Cyclic()],
    ['cart.n is not a finite number', { toJSON: () => ({ n: NaN }) }],
    ['cart is undefined', { toJSON: () => undefined }],
    ['cart.at is an invalid date', { at: new Date(NaN) }],
    ['cart.n is not a finite number', { n: Object(NaN) as unknown }],
    ['cart.n is a BigInt', { n: Object(1n) as unknown }],
    ['cart.n is a Symbol', { n: Object(Symbol('n')) as unknown }],
    ['cart[1] is undefined', [1, undefined]],
    ['cart.list[0] is undefined', { list: new Array(2) }],
    ['cart.query is a URLSearchParams', { query: new URLSearchParams('a=1') }],
    ['cart is a Headers', new Headers({ a: '1' })],
    ['cart is a FormData', new FormData()],
    ['cart is a Blob', new Blob(['x'])],
    ['cart is a WeakRef', new WeakRef({})],
    ['cart.format is a NumberFormat', { format: new Intl.NumberFormat() }],
    ['cart is a Map', new (class extends Map<string, string> {})([['a', 'b']])],
    ['cart.entries has no enumerable properties', { entries: new Map().entries() }],
    ['cart[0] has no enumerable properties', [new Hidden()]],
  ])('refuses what would be lost: %s', (problem, value) => {
    expect(() => encode(value)).toThrow(SessionEncodingError);
    expect(() => encode(value)).toThrow(`Cannot save the session: ${problem}. `);
  });

  it.each<[string, unknown, unknown]>([
    ['an instance of a class', new Visit('Seoul'), { city: 'Seoul' }],
    ['an instance of a subclass', new (class extends Visit {})('Jeju'), { city: 'Jeju' }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['an empty object of another realm', runInNewContext('({})'), {}],
    ['boxed values', [Object(1), Object('a'), Object(false)], [1, 'a', false]],
    ['a URL', new URL('http://x/'), 'http://x/'],
    ['a Buffer', Buffer.from('a'), { type: 'Buffer', data: [97] }],
  ])('takes %s', (_what, value, decoded) => {
    expect(decode(encode({ value }))).toEqual({ value: decoded });
  });

  it('refuses what is nested too deeply, instead of overflowing the stack', () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    expect(() => encode(value)).toThrow('is nested deeper than 50 levels');
  });

  it('takes 50 levels, and names the path to what lies deeper', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
    expect(decode(encode(nested(50)))).toEqual(nested(50));
    expect(() => encode(nested(51))).toThrow(`cart${'.a'.repeat(50)} is nested deeper`);
  });

  it('asks each object once, however deep it lies', () => {
    let questions = 0;
    const leaf = { toJSON: () => (questions++, 'leaf') };
    let value: unknown = Array.from({ length: 1000 }, () => leaf);
    for (let depth = 0; depth < 40; depth++) value = [value];
    encode(value);
    expect(questions).toBe(2000);
  });

  it('takes the same object twice, which is no cycle', () => {
    const item = { sku: 1 };
    expect(decode(encode([item, item]))).toEqual([item, item]);
  });
});
