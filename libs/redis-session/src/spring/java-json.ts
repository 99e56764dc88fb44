import { jsonSessionCodec } from '../session/attributes/codec.js';
import { quoted } from '../lib/logger.js';
import { SessionEncodingError } from '../session/session.errors.js';
import { isLarge, isWhole, marked, markedIn, withMarks, withoutMarks } from './exact-numbers.js';

/** Holds the Java class of an object or an array. Enumerable, so that `{ ...cart }` keeps the class. */
const JAVA_CLASS = Symbol.for('nestjs-redis-session.java-class');

/** A value of a Java class that is neither an object nor a list in JSON, such as a `java.math.BigDecimal`. */
export class JavaValue {
  constructor(
    /** Such as `java.math.BigDecimal`. */
    readonly className: string,
    /** The value as JSON has it. */
    readonly value: unknown,
  ) {}
}

/** The class of an object that was read: Spring has written it, so Spring can read it. */
class StoredClass {
  constructor(readonly name: string) {}
}

/** A value that was read. */
class StoredValue extends JavaValue {}

/** A number that JavaScript would change. Without a class where JSON has none. */
class ExactNumber extends StoredValue {
  readonly #text: string;

  /** @param text - what is written again */
  constructor(className: string, text: string, value: unknown = text) {
    super(className, value);
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }
}

/** Anything that has a Java class. */
export interface JavaTyped {
  readonly [JAVA_CLASS]?: string | StoredClass;
}

/**
 * Makes `value` an instance of a Java class for Spring. Name the class in `springSession.classes` unless Spring reads it anyway.
 *
 * ```ts
 * session.setAttribute('cart', ofJavaClass('com.shop.Cart', { items: [] }));
 * ```
 *
 * @param className - such as `com.shop.Cart`, or `java.util.HashSet` for an array
 */
export function ofJavaClass<T extends object>(className: string, value: T): T & JavaTyped {
  return Object.assign(value, { [JAVA_CLASS]: className });
}

/** Tells the Java class of a value that was read of a session. @returns undefined for plain values, lists and maps */
export function javaClassOf(value: unknown): string | undefined {
  if (value instanceof ExactNumber && value.className === UNTYPED) return undefined;
  if (value instanceof JavaValue) return value.className;
  const type = typeOf(value);
  return type instanceof StoredClass ? type.name : type;
}

function typeOf(value: unknown): string | StoredClass | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as JavaTyped)[JAVA_CLASS];
}

function ofStoredClass(className: string, value: object): object {
  return Object.assign(value, { [JAVA_CLASS]: new StoredClass(className) });
}

const CLASS_PROPERTY = '@class';
const DATE = 'java.util.Date';
const DECIMAL = 'java.math.BigDecimal';
const LIST = 'java.util.ArrayList';
const MAP = 'java.util.LinkedHashMap';
/** Inside an object of a class, where Java declares the types: written without one. */
const UNTYPED = '';

/** Maps and lists that become plain objects and arrays; a changed one is written as {@link MAP} or {@link LIST}. */
const PLAIN_MAPS: ReadonlySet<string> = new Set([
  MAP,
  'java.util.HashMap',
  'java.util.Collections$EmptyMap',
  'java.util.Collections$UnmodifiableMap',
]);
const PLAIN_LISTS: ReadonlySet<string> = new Set([
  LIST,
  'java.util.Arrays$ArrayList',
  'java.util.Collections$EmptyList',
  'java.util.Collections$SingletonList',
  'java.util.Collections$UnmodifiableRandomAccessList',
  'java.util.ImmutableCollections$ListN',
  'java.util.ImmutableCollections$List12',
]);
/** JavaScript numbers. */
const NUMBERS: ReadonlySet<string> = new Set([
  'java.lang.Long',
  'java.lang.Double',
  'java.lang.Float',
  'java.lang.Integer',
  'java.lang.Short',
  'java.lang.Byte',
]);

/** `java.util.ArrayList`, `[Ljava.lang.String;`, `com.shop.Cart$Item`. */
const CLASS_NAME =
  /^\[*(?:L?[\p{L}_$][\p{L}\p{N}_$]*(?:\.[\p{L}_$][\p{L}\p{N}_$]*)+;?|[BCDFIJSZ])$/u;

/** Jackson reads names of properties up to 50,000 characters, and texts up to 20,000,000. */
const MAX_NAME_LENGTH = 50_000;
const MAX_TEXT_LENGTH = 20_000_000;

/** Whether Spring can read objects of a class. */
export type ReadableClasses = (className: string) => boolean;

/**
 * Reads and writes JSON with Java's types, as Spring Security's Jackson modules do. A `Date` stays a date. Java classes that
 * JavaScript has no counterpart of are kept by {@link javaClassOf}.
 *
 * ```
 * {"@class":"java.util.LinkedHashMap","sku":1,"tags":["java.util.ArrayList",["new"]],"at":["java.util.Date",1404360000000]}
 * ```
 */
export const javaJson = {
  /**
   * @param isReadable - asked for each class that the application has named
   * @throws SessionEncodingError when Java could not read it
   */
  encode(value: unknown, name: string, isReadable: ReadableClasses): string {
    // Jackson reads 500 levels; a list takes two of them. This refuses far fewer levels, and all that JSON would lose.
    jsonSessionCodec.encode(value, name);
    return withoutMarks(JSON.stringify(new TypedJson(isReadable).of(value, name, false)));
  },

  /** @throws SyntaxError when `text` is no JSON */
  decode(text: string): unknown {
    return fromTyped(jsonSessionCodec.decode(withMarks(text), ''), false);
  },
};

class TypedJson {
  constructor(private readonly isReadable: ReadableClasses) {}

  /** @param isDeclared - whether Java knows the type by the class around it */
  of(value: unknown, path: string, isDeclared: boolean): unknown {
    if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH)
      throw SessionEncodingError.create(
        path,
        `is longer than ${MAX_TEXT_LENGTH} characters`,
        'Store less.',
      );
    if (isLarge(value)) return marked(value.toExponential());
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Date) return [DATE, value.getTime()];
    if (value instanceof ExactNumber) {
      const number = marked(value.text);
      return value.className === UNTYPED ? number : [value.className, number];
    }
    if (value instanceof JavaValue) return [this.classOf(value, path), value.value];
    if (value instanceof Number || value instanceof String || value instanceof Boolean)
      return this.of(value.valueOf(), path, isDeclared);
    if ('toJSON' in value && typeof value.toJSON === 'function')
      return this.of((value as { toJSON(): unknown }).toJSON(), path, isDeclared);
    const className = this.classOf(value, path);
    // What has no type inside of an object needs one outside of it.
    const type = className === UNTYPED && !isDeclared ? undefined : className;
    return Array.isArray(value) ? this.list(value, path, type) : this.object(value, path, type);
  }

  private list(value: readonly unknown[], path: string, className = LIST): unknown {
    const isDeclared = className === UNTYPED;
    const items = value.map((item, index) => this.of(item, `${path}[${index}]`, isDeclared));
    return isDeclared ? items : [className, items];
  }

  private object(value: object, path: string, className = MAP): unknown {
    const isDeclared = !PLAIN_MAPS.has(className);
    const entries: [string, unknown][] = className === UNTYPED ? [] : [[CLASS_PROPERTY, className]];
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      refuseName(key, path);
      entries.push([key, this.of(item, `${path}.${key}`, isDeclared)]);
    }
    return Object.fromEntries(entries);
  }

  private classOf(value: object, path: string): string | undefined {
    const className = javaClassOf(value);
    const isStored = value instanceof StoredValue || typeOf(value) instanceof StoredClass;
    if (className === undefined || isStored || this.isReadable(className)) return className;
    throw SessionEncodingError.create(
      path,
      `is of the Java class ${quoted(className)}, which Spring reads only if its JSON mapper allows it`,
      'Allow it there, and name it in springSession.classes.',
    );
  }
}

function refuseName(name: string, path: string): void {
  if (name === CLASS_PROPERTY)
    throw SessionEncodingError.create(
      path,
      `has a property "${name}", which names a Java class`,
      'Rename it.',
    );
  if (name.length > MAX_NAME_LENGTH)
    throw SessionEncodingError.create(
      path,
      `has a property whose name is longer than ${MAX_NAME_LENGTH} characters`,
      'Rename it.',
    );
}

/** @param isDeclared - whether Java knows the type by the class around it */
function fromTyped(value: unknown, isDeclared: boolean): unknown {
  if (Array.isArray(value)) return fromArray(value, isDeclared);
  const digits = markedIn(value);
  if (digits !== undefined) return numberOf(UNTYPED, digits);
  if (typeof value !== 'object' || value === null) return value;
  const { [CLASS_PROPERTY]: className, ...properties } = value as Record<string, unknown>;
  const isTyped = typeof className === 'string';
  const isMap = !isTyped || PLAIN_MAPS.has(className);
  const entries = Object.entries(properties).map(
    ([key, item]) => [key, fromTyped(item, !isMap || (!isTyped && isDeclared))] as const,
  );
  const object = Object.fromEntries(entries);
  if (isTyped) return isMap ? object : ofStoredClass(className, object);
  return isDeclared ? ofStoredClass(UNTYPED, object) : object;
}

function fromArray(array: readonly unknown[], isDeclared: boolean): unknown {
  const [className, content] = array;
  const isTyped = array.length === 2 && typeof className === 'string' && CLASS_NAME.test(className);
  if (!isTyped) {
    const items = array.map((item) => fromTyped(item, isDeclared));
    return isDeclared ? ofStoredClass(UNTYPED, items) : items;
  }
  if (Array.isArray(content)) {
    const items = content.map((item) => fromTyped(item, false));
    return PLAIN_LISTS.has(className) ? items : ofStoredClass(className, items);
  }
  const digits = markedIn(content);
  if (digits !== undefined) return numberOf(className, digits);
  if (className === DATE && typeof content === 'number') return new Date(content);
  return NUMBERS.has(className) ? content : new StoredValue(className, content);
}

/** A number that JavaScript would change. A decimal without a class is a `double`, which has no more digits than JavaScript keeps. */
function numberOf(className: string, text: string): unknown {
  if (isWhole(text) || className === DECIMAL) return new ExactNumber(className, text);
  const isDouble = className === UNTYPED || NUMBERS.has(className);
  return isDouble ? Number(text) : new ExactNumber(className, text, Number(text));
}

/** The properties of an object that was read. */
export type Fields = Readonly<Record<string, unknown>>;

/** What can be asked for properties, if `value` can. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

/** The objects of a list; none for anything else. */
export function itemsOf(value: unknown): Fields[] {
  return Array.isArray(value)
    ? value.flatMap((item: unknown): Fields[] => {
        const fields = fieldsOf(item);
        return fields ? [fields] : [];
      })
    : [];
}
