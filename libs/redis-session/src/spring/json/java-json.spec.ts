import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { SessionEncodingError } from '../../session/session.errors.js';
import { JavaValue, javaClassOf, ofJavaClass } from '../java-value.js';
import { javaJson } from './java-json.js';
import { JavaTypes } from './java-types.js';

const types = new JavaTypes(4, {
  'com.shop.Cart': { n: 'int' },
  'com.shop.Order': { id: 'long' },
  'java.math.BigDecimal': 'BigDecimal',
});
const encode = (value: unknown, name = 'value') => javaJson.encode(value, name, types);

function roundTrip(value: unknown): unknown {
  return javaJson.decode(encode(value));
}

const CLASSES_WITH_TAGS = { 'com.shop.Tags': { all: 'Set<String>' } } as const;

describe('javaJson', () => {
  it('gives back every JSON value, and dates', () => {
    const values = fc.oneof(fc.jsonValue({ maxDepth: 5 }), fc.date({ noInvalidDate: true }));
    fc.assert(
      fc.property(values, (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('"@class"') && !text.includes('__proto__'));
        expect(roundTrip(value)).toEqual(value instanceof Date ? value : JSON.parse(text));
      }),
    );
  });

  it('writes what it has read in the same way', () => {
    const text =
      '{"@class":"java.util.LinkedHashMap","cart":{"@class":"com.shop.Cart","items":["java.util.ArrayList",["a"]],"codes":["x"],"owner":{"name":"kim"}},"tree":{"@class":"java.util.TreeMap","a":1},"at":["java.util.Date",5],"set":["java.util.HashSet",["a"]],"price":["java.math.BigDecimal",1.5]}';
    expect(encode(javaJson.decode(text))).toBe(text);
  });

  it.each([
    ['{"@class":"com.shop.Cart","items":["java.util.ArrayList",[]]}', 'com.shop.Cart'],
    ['["java.util.HashSet",["a"]]', 'java.util.HashSet'],
    ['["java.math.BigDecimal",1.5]', 'java.math.BigDecimal'],
    ['["java.util.Collections$UnmodifiableRandomAccessList",["a"]]', undefined],
    ['{"@class":"java.util.HashMap","a":1}', undefined],
    ['["java.lang.Long",5]', undefined],
    ['"text"', undefined],
    ['null', undefined],
  ])('tells the class of %s', (text, className) => {
    expect(javaClassOf(javaJson.decode(text))).toBe(className);
  });

  it('keeps the class of an object that is copied by a spread', () => {
    const cart = javaJson.decode('{"@class":"com.shop.Cart","n":1}') as object;
    expect(encode({ ...cart, n: 2 })).toBe('{"@class":"com.shop.Cart","n":2}');
  });

  it('writes objects and values of a class that the application names', () => {
    expect(encode(ofJavaClass('com.shop.Cart', { n: 1 }))).toBe('{"@class":"com.shop.Cart","n":1}');
    expect(encode(new JavaValue('java.math.BigDecimal', '1.50'))).toBe(
      '["java.math.BigDecimal",1.50]',
    );
  });

  it.each([
    ofJavaClass('com.other.Cart', { n: 1 }),
    [ofJavaClass('com.other.Tags', ['a'])],
    { price: new JavaValue('com.other.Price', 1) },
    ofJavaClass('', { n: 1 }),
  ])('refuses an object of a class that Spring cannot read, but not one that was read', (value) => {
    expect(() => encode(value)).toThrow('springSession.classes');
  });

  it('writes an object of a class that nobody has described as it was read, in another place, too, and refuses to change it', () => {
    const text =
      '{"@class":"com.other.Cart","total":["java.math.BigDecimal",1.10],"list":["java.util.ArrayList",[{"n":1.0}]]}';
    const read = () => javaJson.decode(text) as { total: unknown; list: object[] };
    const written = `{"@class":"java.util.LinkedHashMap","cart":${text}}`;
    expect(encode({ cart: read() })).toBe(written);
    const changed = [{ ...read(), total: 5 }, Object.assign(read(), { more: 1 }), read()];
    changed[2]?.list.push({});
    for (const each of changed)
      expect(() => encode({ cart: each })).toThrow(
        'value.cart is of the Java class "com.other.Cart", whose fields are not known here, and Spring answers 500 to what it cannot read. Describe the class in springSession.classes, and allow it at Spring.',
      );
  });

  it('refuses a class that is put into what was read, and names the place', () => {
    const cart = javaJson.decode('{"@class":"com.shop.Cart","n":1,"more":{}}') as { more: object };
    Object.assign(cart.more, { '@class': 'com.evil.Gadget' });
    expect(() => encode({ cart })).toThrow('value.cart.more has a property "@class"');
  });

  it('keeps the fields that are not described, and refuses to change them', () => {
    const text = '{"@class":"com.shop.Cart","n":1,"at":["java.util.Date",5]}';
    const read = () => javaJson.decode(text) as object;
    expect(encode({ ...read(), n: 2 })).toBe(text.replace('1', '2'));
    expect(() => encode({ ...read(), at: new Date(6) })).toThrow(
      'value.at has a type that is not known here, and Spring answers 500 to what it cannot read. Describe it in springSession.classes["com.shop.Cart"].',
    );
    expect(() => encode({ ...read(), n: 'x' })).toThrow(
      'value.n is no int of Java, and Spring answers 500 to what it cannot read. Store such a value, or correct springSession.classes.',
    );
  });

  it.each([
    ['the one that Boot 3.5 reads', 3, 'java.util.Collections$UnmodifiableSet'],
    ['the set of Boot 4', 4, 'java.util.HashSet'],
  ] as const)('writes a field that is a set as %s', (_what, boot, className) => {
    const described = new JavaTypes(boot, CLASSES_WITH_TAGS);
    const tags = ofJavaClass('com.shop.Tags', { all: ['a'] });
    const text = `{"@class":"com.shop.Tags","all":["${className}",["a"]]}`;
    expect(javaJson.encode(tags, 'tags', described)).toBe(text);
    const hashSets = { ...CLASSES_WITH_TAGS, 'java.util.HashSet': 'Set<Object>' } as const;
    expect(javaJson.encode(tags, 'tags', new JavaTypes(boot, hashSets))).toBe(
      text.replace(className, 'java.util.HashSet'),
    );
  });

  it('gives what had no type inside of an object one of its own outside of it', () => {
    const text =
      '{"@class":"com.other.Cart","codes":["x",["y"]],"owner":{"name":"kim","tags":["z"]}}';
    const cart = javaJson.decode(text) as { codes: unknown; owner: object };
    expect(encode(cart.codes)).toBe('["java.util.ArrayList",["x",["java.util.ArrayList",["y"]]]]');
    expect(encode({ owner: { ...cart.owner } })).toBe(
      '{"@class":"java.util.LinkedHashMap","owner":{"@class":"java.util.LinkedHashMap","name":"kim","tags":["java.util.ArrayList",["z"]]}}',
    );
  });

  it('refuses a property that names a class, wherever it is: a client may have sent it', () => {
    const fromClient: unknown = JSON.parse('{"list":[{"@class":"com.evil.Gadget"}]}');
    expect(() => encode(fromClient)).toThrow(SessionEncodingError);
  });

  it('keeps every digit of a whole number that JavaScript would change, wherever it is', () => {
    const id = '1234567890123456789';
    const text = `{"@class":"com.shop.Order","id":${id},"huge":["java.math.BigInteger",-${id}${id}],"note":"\\"${id}","ids":["java.util.ArrayList",[${id},["java.lang.Long",${id}]]],"few":[9007199254740992,0.12345678901234568]}`;
    const order = javaJson.decode(text) as { id: JavaValue; huge: JavaValue; few: unknown };
    expect(order.huge).toMatchObject({ className: 'java.math.BigInteger', value: `-${id}${id}` });
    expect(order.id).toMatchObject({ value: id });
    expect(Array.from(order.few as number[])).toEqual([2 ** 53, 0.12345678901234568]);
    expect(encode({ ...order })).toBe(text);
    expect(encode(javaJson.decode(id))).toBe(id);
  });

  it('keeps every digit of a decimal that has a class', () => {
    const [price, at] = ['-19.990000000000000000000000000001', '1795901030.498544442'];
    const text = `{"@class":"java.util.LinkedHashMap","price":["java.math.BigDecimal",${price}],"short":["java.math.BigDecimal",0.12345678901234567],"tiny":["java.math.BigDecimal",1.2345678901234567890E-30],"at":["java.time.Instant",${at}],"note":"${price}","double":0.30000000000000004}`;
    const cart = javaJson.decode(text) as Record<'price' | 'at' | 'double', unknown>;
    expect(cart.price).toMatchObject({ className: 'java.math.BigDecimal', value: price });
    expect(cart.at).toMatchObject({ className: 'java.time.Instant', value: Number(at) });
    expect(cart.double).toBe(0.1 + 0.2);
    expect(encode({ ...cart })).toBe(text);
    expect(javaJson.decode(price)).toBe(Number(price));
    const double = `["java.lang.Double",0.12345678901234567]`;
    expect(javaJson.decode(double)).toBe(Number('0.12345678901234567'));
  });

  it.each(['4.0', '-0.50', '1.0E19', '1.0E-7', '0.0000001', '100E2'])(
    'keeps %s in an object that stays as it is, and gives it as a number',
    (digits) => {
      const text = `{"@class":"java.util.LinkedHashMap","sum":{"@class":"com.other.Sum","of":${digits},"note":"4.0"},"n":1}`;
      const read = javaJson.decode(text) as { sum: { of: unknown } };
      expect(read.sum.of).toBe(Number(digits));
      expect(encode({ ...read, n: 2 })).toBe(text.replace('"n":1', '"n":2'));
    },
  );

  it('keeps 4.0 in a field that is not described, when another one changes', () => {
    const text = '{"@class":"com.shop.Cart","n":1,"any":4.0,"huge":1.0E19}';
    const cart = javaJson.decode(text) as object;
    expect(encode({ ...cart, n: 2 })).toBe(text.replace('1', '2'));
  });

  it('shows neither the JSON nor the mark of numbers of an object that is logged', () => {
    const text = '{"@class":"com.other.Sum","of":4.0,"id":1234567890123456789}';
    const shown = inspect(javaJson.decode(text), { showHidden: true, depth: Infinity });
    expect(shown).toContain('1234567890123456789');
    expect(shown).not.toMatch(/@class|[\da-f]{8}-[\da-f]{4}-/);
  });

  it('puts a moment that was read, with every digit, into a field that is described', () => {
    const described = new JavaTypes(4, { 'com.shop.Bill': { due: 'Instant', paid: 'Instant?' } });
    const moment = (digits: string) => javaJson.decode(`["java.time.Instant",${digits}]`);
    const write = (due: unknown, paid?: unknown) =>
      javaJson.encode(ofJavaClass('com.shop.Bill', { due, paid }), 'bill', described);
    const due = '1795901030.498544442';
    expect(write(moment(due), moment('-1.5'))).toBe(
      `{"@class":"com.shop.Bill","due":${due},"paid":-1.5}`,
    );
    for (const wrong of ['now', '', '1795901030.5', true, moment('8640000000001.000000')])
      expect(() => write(wrong)).toThrow('bill.due is no Instant of Java');
  });

  it('takes no text of a client for such a number', () => {
    const order = javaJson.decode('[1234567890123456789]') as JavaValue[];
    const copy = structuredClone(order);
    const text = encode({ copy, like: ['java.lang.Long', '1234567890123456789'] });
    expect(text).not.toMatch(/[^"]1234567890123456789/);
  });

  it('writes a number that is too large for a long as a double', () => {
    const numbers = [2 ** 63, -(2 ** 64), 1e20, 1e21, -(2 ** 63)];
    expect(encode({ a: numbers })).toContain(
      '[9.223372036854776e+18,-1.8446744073709552e+19,1e+20,1e+21,-9.223372036854776e+18]',
    );
    expect(roundTrip({ a: numbers })).toEqual({ a: numbers });
  });

  it('takes no class from a symbol that arrives as JSON', () => {
    const fromClient: unknown = JSON.parse('{"Symbol(nestjs-redis-session.java-class)":"x"}');
    expect(javaClassOf(fromClient)).toBeUndefined();
  });

  it('does not pollute prototypes', () => {
    const text = '{"@class":"java.util.HashMap","__proto__":{"polluted":true}}';
    expect((javaJson.decode(text) as { polluted?: boolean }).polluted).toBeUndefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([() => 1, Symbol('x'), 5n, NaN, new Map(), [undefined]])(
    'refuses %p, of which JSON would lose something',
    (value) => {
      expect(() => encode(value)).toThrow(SessionEncodingError);
    },
  );
});
