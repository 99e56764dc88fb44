import { ExactNumber, ofStoredClass, StoredValue, UNTYPED } from '../java-value.js';
import { isWhole, markedIn } from './exact-numbers.js';

/** The property that names the class of an object. */
export const CLASS_PROPERTY = '@class';
const DECIMAL = 'java.math.BigDecimal';
/** What a `Date` becomes. */
export const DATE = 'java.util.Date';
/** What an array becomes. */
export const LIST = 'java.util.ArrayList';
/** What a plain object becomes. */
export const MAP = 'java.util.LinkedHashMap';

/** Maps and lists that become plain objects and arrays; a changed one is written as {@link MAP} or {@link LIST}. */
export const PLAIN_MAPS: ReadonlySet<string> = new Set([
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

/** @param isDeclared - whether Java knows the type by the class around it */
export function fromTyped(value: unknown, isDeclared: boolean): unknown {
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
  if (isTyped) return isMap ? object : ofStoredClass(className, object, value);
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
    return PLAIN_LISTS.has(className) ? items : ofStoredClass(className, items, array);
  }
  const digits = markedIn(content);
  if (digits !== undefined) return numberOf(className, digits);
  if (className === DECIMAL && typeof content === 'number')
    return new ExactNumber(className, String(content));
  if (className === DATE && typeof content === 'number') return new Date(content);
  return NUMBERS.has(className) ? content : new StoredValue(className, content);
}

/** A number that JavaScript would change. A decimal without a class is a `double`, which has no more digits than JavaScript keeps. */
function numberOf(className: string, text: string): unknown {
  if (isWhole(text) || className === DECIMAL) return new ExactNumber(className, text);
  const isDouble = className === UNTYPED || NUMBERS.has(className);
  return isDouble ? Number(text) : new ExactNumber(className, text, Number(text));
}
