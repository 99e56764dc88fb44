import { quoted } from '../../lib/logger.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { marked } from './exact-numbers.js';
import { ExactNumber, JavaValue } from '../java-value.js';

/** A type of a field of a Java class, or the full name of a class of `springSession.classes`. */
type JavaName =
  | 'BigDecimal'
  | 'BigInteger'
  | 'Date'
  | 'Instant'
  | 'Object'
  | 'String'
  | 'UUID'
  | 'boolean'
  | 'double'
  | 'int'
  | 'long'
  | `${string}.${string}`;
type CollectionOf<Item extends string> = `${'List' | 'Set'}<${Item}>` | `Map<String, ${Item}>`;
type JavaCollection = CollectionOf<JavaName> | CollectionOf<CollectionOf<JavaName>>;

/** The type of a field as its Java class declares it, with `?` behind it if the field may be null or left out. */
export type JavaFieldType = JavaName | JavaCollection | `${JavaName | JavaCollection}?`;

/** Describes Java classes by their full names: by their fields with types, the constants of an enum, or what a value is. */
export interface JavaClasses {
  readonly [className: string]:
    | Readonly<Record<string, JavaFieldType>>
    | readonly string[]
    | JavaCollection
    | 'BigDecimal'
    | 'BigInteger'
    | 'UUID';
}

/** A {@link JavaFieldType}, read. */
export interface JavaType {
  /** Such as `String`, `List` or `com.shop.Cart`. */
  readonly name: string;
  /** Of a collection. */
  readonly item?: JavaType;
  readonly isOptional: boolean;
  /** As the application has written it. */
  readonly text: string;
}

/** Fields with their types, the constants of an enum, or what a value is. */
export type JavaDescription = ReadonlyMap<string, JavaType> | readonly string[] | JavaType;

/** Whether a class is an enum, and its constants. */
export function isConstants(
  description: JavaDescription | undefined,
): description is readonly string[] {
  return Array.isArray(description);
}

/** Scalars whose classes are not final: Spring asks for the class in each field. */
export const TYPED_SCALARS: Readonly<Record<string, string>> = {
  BigDecimal: 'java.math.BigDecimal',
  BigInteger: 'java.math.BigInteger',
  Date: 'java.util.Date',
};

/** Jackson reads texts up to 20,000,000 characters, and numbers of up to 1,000 digits. */
export const MAX_TEXT_LENGTH = 20_000_000;
const MAX_DIGITS = 1000;
/** Seconds; what both `Date` and `Instant` hold. */
const MAX_SECONDS = 8.64e12;

const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,4})?$/;
const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** What JSON has for a value of a type. Each gives undefined for a value that Java could not read. */
export const SCALARS = {
  boolean: (value: unknown) => (typeof value === 'boolean' ? value : undefined),
  int: (value: unknown) => (typeof value === 'number' && (value | 0) === value ? value : undefined),
  long(value: unknown) {
    const digits = numberIn(value, INTEGER);
    return digits && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits)
      ? marked(digits)
      : undefined;
  },
  double: (value: unknown) => (Number.isFinite(value) ? value : undefined),
  String: (value: unknown) =>
    typeof value === 'string' && value.length <= MAX_TEXT_LENGTH ? value : undefined,
  UUID: (value: unknown) => (typeof value === 'string' && UUID.test(value) ? value : undefined),
  BigDecimal: (value: unknown) => markedNumber(value, DECIMAL),
  BigInteger: (value: unknown) => markedNumber(value, INTEGER),
  Date: (value: unknown) => (value instanceof Date ? value.getTime() : undefined),
  Instant(value: unknown) {
    if (value instanceof Date) return value.toISOString();
    return typeof value === 'number' && Math.abs(value) <= MAX_SECONDS ? value : undefined;
  },
} satisfies Partial<Record<JavaName, (value: unknown) => unknown>>;

function numberIn(value: unknown, form: RegExp): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const isNumber = typeof text === 'string' && text.length <= MAX_DIGITS && form.test(text);
  return isNumber ? text : undefined;
}

function markedNumber(value: unknown, form: RegExp): string | undefined {
  const digits = numberIn(value, form);
  return digits && marked(digits);
}

/** @returns undefined when `value` is none of the type, or the type is no scalar */
export function scalarOf(value: unknown, type: string): unknown {
  if (!isScalar(type)) return undefined;
  const content = value instanceof JavaValue ? value.value : value;
  if (!(value instanceof ExactNumber)) return SCALARS[type](content);
  const isMoment = type === 'Instant' && SCALARS.Instant(content) !== undefined;
  return isMoment ? marked(value.text) : SCALARS[type](value.text);
}

function isScalar(type: string): type is keyof typeof SCALARS {
  return Object.hasOwn(SCALARS, type);
}

/** What Spring Security 6.5 and 7.0 read without a word of the application. */
const KNOWN: JavaClasses = {
  'java.util.ArrayList': 'List<Object>',
  'java.util.Collections$UnmodifiableRandomAccessList': 'List<Object>',
  'java.util.Collections$UnmodifiableSet': 'Set<Object>',
  'java.util.HashMap': 'Map<String, Object>',
  'java.util.LinkedHashMap': 'Map<String, Object>',
  'java.util.TreeMap': 'Map<String, Object>',
};
const KNOWN_TO_BOOT_4: JavaClasses = {
  'java.util.HashSet': 'Set<Object>',
  'java.util.LinkedHashSet': 'Set<Object>',
};
const KNOWN_VALUES = { 'java.lang.Long': 'long', 'java.time.Instant': 'Instant' };

const CLASS_NAME = /^(?:[\p{L}_$][\p{L}\p{N}_$]*\.)+[\p{L}_$][\p{L}\p{N}_$]*$/u;
const COLLECTION = /^(?:(List|Set)<|(Map)<String, ?)(.+)>$/;

/** The classes of which Spring can read objects: collections of Java, and those of the option `classes`. */
export class JavaTypes {
  private readonly descriptions = new Map<string, JavaDescription>();

  /** @throws SessionOptionError for a description that is none */
  constructor(boot: 3 | 4, classes: JavaClasses = {}) {
    const known = { ...KNOWN, ...(boot === 4 && KNOWN_TO_BOOT_4), ...KNOWN_VALUES };
    const all = Object.entries<unknown>({ ...known, ...classes });
    const names = new Set(all.map(([name]) => name));
    for (const [name, given] of all) this.descriptions.set(name, describe(name, given, names));
  }

  of(className: string): JavaDescription | undefined {
    return this.descriptions.get(className);
  }
}

function describe(className: string, given: unknown, names: ReadonlySet<string>): JavaDescription {
  const path = `springSession.classes[${quoted(className)}]`;
  if (!CLASS_NAME.test(className)) refuse(path, 'named by the full name of a class', className);
  if (typeof given === 'string') return parseValue(className, given, path, names);
  if (isListOfTexts(given)) return given;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    refuse(path, 'an object of fields, or a list of the constants of an enum', given);
  const fields = Object.entries(given as Readonly<Record<string, unknown>>);
  return new Map(fields.map(([name, type]) => [name, parse(type, `${path}.${name}`, names)]));
}

/** Java would read another class than `className` where the type of the value is written with it. */
function parseValue(
  className: string,
  given: string,
  path: string,
  names: ReadonlySet<string>,
): JavaType {
  const type = parse(given, path, names);
  const owner = TYPED_SCALARS[type.name] ?? className;
  if (owner !== className)
    refuse(path, `an object of fields, because "${type.name}" describes ${owner} alone`, given);
  return type;
}

function isListOfTexts(given: unknown): given is readonly string[] {
  return Array.isArray(given) && given.every((each) => typeof each === 'string' && each !== '');
}

function parse(given: unknown, path: string, names: ReadonlySet<string>): JavaType {
  const text = typeof given === 'string' ? given : '';
  const isOptional = text.endsWith('?');
  const required = isOptional ? text.slice(0, -1) : text;
  const [, list, map, item] = COLLECTION.exec(required) ?? [];
  const name = list ?? map ?? required;
  if (item === undefined && name !== 'Object' && !isScalar(name) && !names.has(name))
    refuse(
      path,
      'a Java type, such as "String", "int?", "List<BigDecimal>" or a class that springSession.classes describes',
      given,
    );
  return { name, text, isOptional, ...(item !== undefined && { item: parse(item, path, names) }) };
}

function refuse(path: string, mustBe: string, given: unknown): never {
  throw new SessionOptionError(`${path} must be ${mustBe}, got ${quoted(String(given))}.`);
}
