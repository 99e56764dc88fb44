import { JavaValue, ofJavaClass } from 'nestjs-redis-session/spring';

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

class Money {
  readonly #cents: number;

  constructor(cents: number) {
    this.#cents = cents;
  }

  toJSON(): object {
    return { cents: this.#cents };
  }
}

/** A value that a handler of Nest may store, and what becomes of it. */
export interface Kind {
  readonly value: unknown;
  /** The class and the text of what Spring reads by JSON; undefined = it finds no attribute. */
  readonly json: string | undefined;
  /** The same by Java serialization; left out = Nest refuses to store it. */
  readonly jdk?: string | undefined;
  /** What Nest reads when Spring has written it again; left out = an equal value. */
  readonly again?: unknown;
}

const AT_FIVE = new Date(5);

/** By what each is called in a title. */
export const KINDS: Readonly<Record<string, Kind>> = {
  'a text': both('naïve 🍪 \0', 'java.lang.String naïve 🍪 \0'),
  'an empty text': both('', 'java.lang.String '),
  'a small number': both(-5, 'java.lang.Integer -5'),
  'a large number': both(6e9, 'java.lang.Long 6000000000'),
  'a fraction': both(1.5, 'java.lang.Double 1.5'),
  'a number with an exponent': both(1e300, 'java.lang.Double 1.0E300'),
  true: both(true, 'java.lang.Boolean true'),
  'zero with a sign': {
    ...{ value: -0, json: 'java.lang.Integer 0', jdk: 'java.lang.Double -0.0', again: 0 },
  },
  'a number that may not be exact': {
    ...{ value: 2 ** 53, json: 'java.lang.Long 9007199254740992' },
    jdk: 'java.lang.Double 9.007199254740992E15',
  },
  'a whole number that is too large for a long': both(1e20, 'java.lang.Double 1.0E20'),
  null: { value: null, json: undefined },
  'a date': { value: AT_FIVE, json: 'java.util.Date Thu Jan 01 00:00:00 UTC 1970' },
  'the last date': {
    value: new Date(8.64e15),
    json: 'java.util.Date Sat Sep 13 00:00:00 UTC 275760',
  },
  'a list': { value: [1, 'a', null, [true]], json: 'java.util.ArrayList [1, a, null, [true]]' },
  'an empty list': { value: [], json: 'java.util.ArrayList []' },
  'an object': { value: { a: 1, b: { c: [] } }, json: 'java.util.LinkedHashMap {a=1, b={c=[]}}' },
  'an empty object': { value: {}, json: 'java.util.LinkedHashMap {}' },
  'dates and numbers inside of an object': {
    value: { at: AT_FIVE, list: [AT_FIVE, { n: 6e9, d: 1.5 }] },
    json: 'java.util.LinkedHashMap {at=Thu Jan 01 00:00:00 UTC 1970, list=[Thu Jan 01 00:00:00 UTC 1970, {n=6000000000, d=1.5}]}',
  },
  'an object of a class': {
    ...{ value: new Point(1, 2), json: 'java.util.LinkedHashMap {x=1, y=2}' },
    again: { x: 1, y: 2 },
  },
  'an object with toJSON': {
    ...{ value: new Money(5), json: 'java.util.LinkedHashMap {cents=5}', again: { cents: 5 } },
  },
  'a URL': {
    ...{ value: new URL('https://a.example/'), json: 'java.lang.String https://a.example/' },
    again: 'https://a.example/',
  },
  'a number as an object': { value: Object(5), json: 'java.lang.Integer 5', again: 5 },
  'an object without a prototype': {
    value: Object.assign(Object.create(null) as object, { a: 1 }),
    json: 'java.util.LinkedHashMap {a=1}',
    again: { a: 1 },
  },
  'a property that is undefined': {
    value: { a: undefined, b: 1 },
    json: 'java.util.LinkedHashMap {b=1}',
    again: { b: 1 },
  },
  bytes: {
    value: Buffer.from('ab'),
    json: 'java.util.LinkedHashMap {type=Buffer, data=[97, 98]}',
    again: { type: 'Buffer', data: [97, 98] },
  },
  'a list of a class that Spring knows': {
    value: ofJavaClass('java.util.Collections$UnmodifiableSet', ['a']),
    json: 'java.util.Collections$UnmodifiableSet [a]',
  },
  'a map of a class that Spring knows': {
    value: ofJavaClass('java.util.TreeMap', { b: 1, a: [] }),
    json: 'java.util.TreeMap {a=[], b=1}',
  },
  'an object of a class of the option classes': {
    value: ofJavaClass('shop.Wishlist', { owner: 'kim', items: ['a'] }),
    json: 'shop.Wishlist [a] of kim',
  },
  'a value of a class of the option classes': {
    value: new JavaValue('java.math.BigDecimal', 1.5),
    json: 'java.math.BigDecimal 1.5',
    again: new JavaValue('java.math.BigDecimal', '1.5'),
  },
  'a decimal whose last zeros count': {
    value: new JavaValue('java.math.BigDecimal', '19.900'),
    json: 'java.math.BigDecimal 19.900',
  },
  'a moment': {
    value: new JavaValue('java.time.Instant', 1.5),
    json: 'java.time.Instant 1970-01-01T00:00:01.500Z',
    again: 1.5,
  },
  'a decimal with more digits than JavaScript keeps': {
    value: new JavaValue('java.math.BigDecimal', '19.990000000000000000000000001'),
    json: 'java.math.BigDecimal 19.990000000000000000000000001',
  },
  undefined: { value: undefined, json: undefined, jdk: undefined },
};

const circle: Record<string, unknown> = {};
circle['self'] = circle;

/** Names and values that Nest refuses to store, by either serialization. */
export const REFUSED: Readonly<Record<string, readonly [name: string, value: unknown]>> = {
  'a function': ['value', () => 1],
  'a symbol': ['value', Symbol('x')],
  'a bigint': ['value', 5n],
  NaN: ['value', NaN],
  'Infinity inside of a list': ['value', [Infinity]],
  'a date that is none': ['value', new Date(NaN)],
  'a Map': ['value', new Map([['a', 1]])],
  'a Set inside of an object': ['value', { tags: new Set(['a']) }],
  'a promise': ['value', Promise.resolve(1)],
  'an error': ['value', new Error('x')],
  'a typed array': ['value', new Uint8Array(2)],
  'undefined inside of a list': ['value', [undefined]],
  'an object that contains itself': ['value', circle],
  'a property that names a class': ['value', { '@class': 'java.util.HashMap' }],
  'a text that is longer than Java reads': ['value', 'x'.repeat(20_000_001)],
  'an object of a class that nobody has named': ['value', ofJavaClass('com.shop.Cart', { n: 1 })],
  'a value of a class that nobody has named': ['value', new JavaValue('java.util.UUID', 'x')],
  'a decimal that is none': ['value', new JavaValue('java.math.BigDecimal', '19,90')],
  'a long that is none': ['value', new JavaValue('java.lang.Long', 'x')],
  'a moment that is none': ['value', new JavaValue('java.time.Instant', 'now')],
  'a list of a class of maps': ['value', ofJavaClass('java.util.TreeMap', ['a'])],
  'a map of a class of lists': ['value', ofJavaClass('java.util.ArrayList', { a: 1 })],
  'an object of a class of dates': ['value', ofJavaClass('java.util.Date', { time: 5 })],
  'an object of a class of Spring Security': [
    'value',
    ofJavaClass('org.springframework.security.core.userdetails.User', { username: 5 }),
  ],
  'an object with a field that its class does not have': [
    'value',
    ofJavaClass('shop.Wishlist', { owner: 'kim', items: ['a'], colour: 'red' }),
  ],
  'an object without one of its fields': ['value', ofJavaClass('shop.Wishlist', { owner: 'kim' })],
  'a list of an object of a class': ['value', [ofJavaClass('shop.Wishlist', { owner: 5 })]],
  'an object without a name for its class': ['value', ofJavaClass('', { a: 1 })],
  'a CSRF secret that is empty': ['CSRF_SECRET', ''],
  'a page of Spring that is saved by its class': [
    'SAVED_REQUESTS',
    ofJavaClass('org.springframework.security.web.savedrequest.DefaultSavedRequest', {}),
  ],
  'a CSRF secret that is no text': ['CSRF_SECRET', { a: 1 }],
  'a saved page that is none': ['SAVED_REQUESTS', 'x'],
  'a name of the user that is no text': [
    'org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME',
    5,
  ],
  'a login under the name that Spring has for it': ['SPRING_SECURITY_CONTEXT', 'x'],
};

function both(value: unknown, text: string): Kind {
  return { value, json: text, jdk: text };
}
