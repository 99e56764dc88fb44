import { inspect } from 'node:util';
import fc from 'fast-check';
import { type JavaClasses, JavaValue, ofJavaClass } from 'nestjs-redis-session/spring';

/** What Nest may store of the classes of the Spring half. */
export const JAVA_CLASSES: JavaClasses = {
  'java.math.BigDecimal': 'BigDecimal',
  // The other fields stay as Spring has written them.
  'shop.Order': { count: 'int' },
  'shop.Wishlist': { owner: 'String', items: 'List<String>' },
  'shop.Invoice': {
    owner: 'String',
    count: 'int',
    number: 'long',
    weight: 'double',
    urgent: 'boolean',
    total: 'BigDecimal',
    huge: 'BigInteger',
    at: 'Date?',
    due: 'Instant',
    reference: 'UUID',
    status: 'shop.Invoice$Status',
    address: 'shop.Invoice$Address?',
    first: 'shop.Invoice$Line',
    notes: 'List<String>',
    lines: 'List<shop.Invoice$Line>',
    addresses: 'List<shop.Invoice$Address?>',
    stock: 'Map<String, int>',
    prices: 'Map<String, List<BigDecimal>>',
    anything: 'Object',
    tags: 'Set<String>?',
  },
  'shop.Invoice$Address': { street: 'String' },
  'shop.Invoice$Line': { sku: 'String?', count: 'int', price: 'BigDecimal?' },
  'shop.Invoice$Status': ['OPEN', 'PAID'],
};

/** An object with a field of every type. */
function invoice(): object {
  return ofJavaClass('shop.Invoice', {
    owner: 'kim',
    count: 1,
    number: 6_000_000_000,
    weight: 1.5,
    urgent: true,
    total: '19.90',
    huge: '92233720368547758091',
    due: new Date(5),
    reference: '00000000-0000-0001-0000-000000000002',
    status: 'PAID',
    address: { street: 'one' },
    first: { sku: 'a', count: 1 },
    notes: ['a', ''],
    lines: [{ sku: 'a', count: 1, price: '1.10' }],
    addresses: [{ street: 'two' }, null],
    stock: { a: 1 },
    prices: { a: ['1.10'] },
    anything: null,
  });
}

/** An invoice with another value under a path such as `lines[0].price`. */
export function invoiceWith(path: string, value: unknown): object {
  const whole = invoice();
  const names = path.match(/[^.[\]]+/g) ?? [];
  const last = names.pop() ?? '';
  const part = names.reduce((each, name) => each[name] as Part, whole as Part);
  part[last] = value;
  return whole;
}

type Part = Record<string, unknown>;

const long = (digits: string) => new JavaValue('java.lang.Long', digits);

/** Says which field is what, briefly. */
const labelled = (cases: readonly (readonly [field: string, value: unknown])[]) =>
  cases.map(([field, value]) => {
    const brief = inspect(value, { breakLength: Infinity, maxStringLength: 40 });
    return [`${field} is ${brief}`, field, value] as const;
  });

/** Values at the limits of each type. */
export const FITTING = labelled([
  ['owner', ''],
  ['owner', '🍪\ud800\0'],
  ['count', 2 ** 31 - 1],
  ['count', -(2 ** 31)],
  ['count', -0],
  ['number', long('9223372036854775807')],
  ['number', long('-9223372036854775808')],
  ['number', 2 ** 60],
  ['weight', Number.MAX_VALUE],
  ['weight', 5e-324],
  ['weight', 1e20],
  ['urgent', false],
  ['total', 19.9],
  ['total', '-0.00'],
  ['total', '1E-9999'],
  ['total', '1e+9999'],
  ['total', `0.${'1'.repeat(998)}`],
  ['total', new JavaValue('java.math.BigDecimal', '19.90')],
  ['huge', -5],
  ['huge', '9'.repeat(1000)],
  ['at', new Date(8.64e15)],
  ['at', new Date(-8.64e15)],
  ['at', null],
  ['due', new Date(8.64e15)],
  ['due', new Date(-8.64e15)],
  ['due', 1.000000001],
  ['due', -8.64e12],
  ['due', 1e-300],
  ['reference', 'ABCDEF00-0000-0001-0000-00000000000f'],
  ['status', 'OPEN'],
  ['address', null],
  ['address', ofJavaClass('shop.Invoice$Address', { street: 'x' })],
  ['first', { count: 0, price: null }],
  ['notes', []],
  ['lines', []],
  ['addresses', [null]],
  ['stock', {}],
  ['stock', ofJavaClass('java.util.TreeMap', { b: 1 })],
  ['prices', { '': [] }],
  ['anything', [{ at: new Date(5), list: ['java.lang.String', ['x']] }]],
  ['anything', ofJavaClass('shop.Wishlist', { owner: 'kim', items: [] })],
  ['tags', ['a', 'b']],
  ['tags', ofJavaClass('java.util.Collections$UnmodifiableSet', ['a'])],
]);

/** Values that Spring would answer 500 to, or that would not be what Nest has stored. */
export const UNFIT = labelled([
  ['owner', 5],
  ['owner', null],
  ['owner', { a: 1 }],
  ['owner', undefined],
  ['count', 1.5],
  ['count', 2 ** 31],
  ['count', '5'],
  ['count', null],
  ['count', undefined],
  ['number', long('9223372036854775808')],
  ['number', 'x'],
  ['number', 1.5],
  ['number', 1e19],
  ['weight', 'x'],
  ['weight', true],
  ['urgent', 'true'],
  ['urgent', 0],
  ['urgent', null],
  ['total', 'x'],
  ['total', ''],
  ['total', '1,5'],
  ['total', '0x5'],
  ['total', '007'],
  ['total', '1e99999'],
  ['total', '1'.repeat(1001)],
  ['total', null],
  ['huge', '1.5'],
  ['huge', 1.5],
  ['at', 5],
  ['at', '2026-11-30T00:00:00Z'],
  ['due', 'now'],
  ['due', 1e13],
  ['reference', 'x'],
  ['status', 'NONE'],
  ['status', 0],
  ['address', 'x'],
  ['address', {}],
  ['address', []],
  ['address', new Date(5)],
  ['address', ofJavaClass('shop.Wishlist', { owner: 'kim', items: [] })],
  ['first.count', undefined],
  ['notes', 'x'],
  ['notes', { a: 1 }],
  ['notes', ofJavaClass('java.util.Collections$UnmodifiableSet', ['a'])],
  ['notes[0]', 5],
  ['lines[0].price', 'x'],
  ['lines[0].colour', 'red'],
  ['stock', ['a']],
  ['stock', new Date(5)],
  ['stock.a', 1.5],
  ['stock.a', null],
  ['prices.a', '1.5'],
  ['prices.a[0]', true],
  ['anything', ofJavaClass('com.shop.Cart', { n: 1 })],
  ['anything', ofJavaClass('shop.Wishlist', { owner: 5, items: [] })],
  ['tags', { a: 1 }],
]);

const NUMBER_TEXT = fc
  .tuple(fc.bigInt(), fc.option(fc.nat()), fc.option(fc.integer({ min: -300, max: 300 })))
  .map(([whole, part, power]) => {
    const point = part === null ? '' : `.${part}`;
    return `${whole}${point}${power === null ? '' : `E${power}`}`;
  });
const SCALAR = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.uuid(),
  fc.date({ noInvalidDate: true }),
  NUMBER_TEXT,
  NUMBER_TEXT.map((digits) => new JavaValue('java.math.BigDecimal', digits)),
  NUMBER_TEXT.map(long),
  fc.constantFrom('OPEN', 'PAID', 'NONE'),
);
const KEYS = fc.constantFrom('street', 'sku', 'count', 'price', 'a');

/** A field, and a value that it may or may not be able to hold. */
export const ANY_VALUE = fc.tuple(
  fc.constantFrom(...Object.keys(JAVA_CLASSES['shop.Invoice'] ?? {})),
  fc.oneof(
    SCALAR,
    fc.array(SCALAR, { maxLength: 3 }),
    fc.dictionary(KEYS, SCALAR, { maxKeys: 3 }),
    fc.array(fc.dictionary(KEYS, SCALAR, { maxKeys: 3 }), { maxLength: 2 }),
    fc.dictionary(KEYS, fc.array(SCALAR, { maxLength: 2 }), { maxKeys: 2 }),
  ),
);
