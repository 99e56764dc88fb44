import { JavaValue, ofJavaClass } from '../java-value.js';

/** A field of a class. */
export interface Field {
  /** As descriptors of Java call it, such as `I`. */
  readonly type: string;
  readonly name: string;
}

/** What a stream says of a class. Nothing of it is looked up, let alone run. */
export class ClassDescription {
  flags = 0;
  fields: readonly Field[] = [];
  parent: ClassDescription | undefined;

  constructor(readonly name: string) {}
}

/** Nothing that a session holds has more. */
const MAX_PARENTS = 50;

/** The classes of an object, as their parts are written: the parents first. @throws Error for a class that is its own parent */
export function lineageOf(description: ClassDescription): ClassDescription[] {
  const classes: ClassDescription[] = [];
  for (let next: ClassDescription | undefined = description; next; next = next.parent) {
    if (classes.unshift(next) > MAX_PARENTS) throw new Error('A Java stream is nested too deeply.');
  }
  return classes;
}

/** An object as a stream holds it. */
export interface JavaObject {
  readonly className: string;
  /** Of the class and its parents. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What its classes have written themselves: bytes and objects, in turn. */
  readonly written: readonly unknown[];
}

type Reader = (object: JavaObject) => unknown;

/** The objects that a class has written itself, without the bytes. */
const objectsOf = ({ written }: JavaObject): unknown[] =>
  written.filter((each) => !Buffer.isBuffer(each));
const boxed: Reader = ({ fields }) => fields['value'];
const map: Reader = (object) => mapOf(objectsOf(object));
/** What a wrapper such as `Collections.unmodifiableList` has around it. */
const wrapped =
  (field: string): Reader =>
  ({ fields }) =>
    fields[field];
/** A list that JavaScript has no counterpart of keeps its class. */
const collection: Reader = (object) => classed(object.className, objectsOf(object));

/** What the classes become that sessions are made of. Others become objects of their fields, with their class. */
const READERS: Readonly<Record<string, Reader>> = {
  'java.lang.Boolean': boxed,
  'java.lang.Byte': boxed,
  'java.lang.Character': boxed,
  'java.lang.Double': boxed,
  'java.lang.Float': boxed,
  'java.lang.Integer': boxed,
  'java.lang.Long': boxed,
  'java.lang.Short': boxed,
  'java.time.Ser': (object) => instantOf(object),
  'java.util.ArrayDeque': collection,
  'java.util.ArrayList': objectsOf,
  'java.util.Arrays$ArrayList': wrapped('a'),
  'java.util.CollSer': (object) => immutableOf(object),
  'java.util.Collections$EmptyList': () => [],
  'java.util.Collections$EmptyMap': () => ({}),
  'java.util.Collections$EmptySet': () => classed('java.util.HashSet', []),
  'java.util.Collections$SingletonList': ({ fields }) => [fields['element']],
  'java.util.Collections$SingletonMap': ({ fields }) => mapOf([fields['k'], fields['v']]),
  'java.util.Collections$UnmodifiableList': wrapped('list'),
  'java.util.Collections$UnmodifiableMap': wrapped('m'),
  'java.util.Collections$UnmodifiableRandomAccessList': wrapped('list'),
  'java.util.Collections$UnmodifiableSet': wrapped('c'),
  'java.util.Date': ({ written: [bytes] }) => dateOf(bytes),
  'java.util.HashMap': map,
  'java.util.HashSet': collection,
  'java.util.LinkedHashMap': map,
  'java.util.LinkedHashSet': collection,
  'java.util.LinkedList': collection,
  'java.util.TreeMap': (object) => classed(object.className, map(object) as object),
  // Its comparator comes first.
  'java.util.TreeSet': (object) => classed(object.className, objectsOf(object).slice(1)),
  // In JSON the name has another name.
  'org.springframework.security.core.authority.SimpleGrantedAuthority': ({ className, fields }) =>
    ofJavaClass(className, { authority: fields['role'] }),
};

/** @returns the object as `javaJson` would give it */
export function toPlain(object: JavaObject): unknown {
  const { className, fields, written } = object;
  const reader = Object.hasOwn(READERS, className) ? READERS[className] : undefined;
  if (reader) return reader(object);
  const isConstant = Object.keys(fields).length === 0 && typeof written[0] === 'string';
  return isConstant ? new JavaValue(className, written[0]) : classed(className, fields);
}

function classed(className: string, value: object): object {
  return ofJavaClass(className, value);
}

function mapOf(keysAndValues: readonly unknown[]): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (let i = 0; i + 1 < keysAndValues.length; i += 2) {
    const kept = keysAndValues[i];
    const key = kept instanceof JavaValue ? kept.value : kept;
    const isName = ['string', 'number', 'boolean'].includes(typeof key);
    if (isName && key !== '__proto__') entries.push([String(key), keysAndValues[i + 1]]);
  }
  return Object.fromEntries(entries);
}

/** What `List.of`, `Set.of` and `Map.of` are written as. */
function immutableOf(object: JavaObject): unknown {
  const kind = Number(object.fields['tag']) & 0xff;
  if (kind === 3) return map(object);
  return kind === 2 ? classed('java.util.HashSet', objectsOf(object)) : objectsOf(object);
}

function dateOf(bytes: unknown): Date | null {
  return Buffer.isBuffer(bytes) ? new Date(Number(bytes.readBigInt64BE())) : null;
}

/** An `Instant` as JSON has it: seconds. Other times of `java.time` are not understood. */
function instantOf({ className, written: [bytes] }: JavaObject): unknown {
  const INSTANT = 2;
  if (!Buffer.isBuffer(bytes) || bytes[0] !== INSTANT) return new JavaValue(className, null);
  return Number(bytes.readBigInt64BE(1)) + bytes.readInt32BE(9) / 1e9;
}
