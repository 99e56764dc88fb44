import secureJson from 'secure-json-parse';
import { type SessionLogger, quoted } from '../../lib/logger.js';
import { SessionCorruptError, SessionEncodingError } from '../session.errors.js';

/**
 * Turns attribute values into text and back. One codec serves all attributes; it may choose by `name`.
 *
 * Both methods are synchronous and deterministic: `encode(decode(text, name), name)` names the same value as `text`.
 */
export interface SessionCodec {
  /**
   * @param value - never undefined
   * @throws SessionEncodingError when a part of the value would be lost
   */
  encode(value: unknown, name: string): string;

  /** @throws any error when `text` was not made by this codec */
  decode(text: string, name: string): unknown;
}

/**
 * Stores values as JSON. Parsing drops `__proto__` and `constructor.prototype` keys, so that a stored value cannot
 * pollute a prototype: `{ constructor: { prototype: 1 } }` comes back as `{}`.
 *
 * A `Date` comes back as its ISO string, an instance of a class as a plain object of its enumerable properties, a
 * property that is undefined not at all. What JSON would silently lose is refused with the path to it: functions,
 * symbols, bigints, `NaN`, invalid dates, `undefined` in arrays, cycles, objects of the language and the platform (`Map`,
 * `Set`, promises, errors, typed arrays, `URLSearchParams` …) and instances without enumerable properties, unless they
 * have `toJSON`.
 */
export const jsonSessionCodec: SessionCodec = {
  encode(value, name) {
    if (!isPlainData(value, 0)) refuseLoss(value, name);
    return JSON.stringify(value);
  },

  decode(text) {
    return secureJson.parse(text, null, {
      protoAction: 'remove',
      constructorAction: 'remove',
    }) as unknown;
  },
};

/** Deep enough for nearly all data; what is deeper takes the slow way. */
const MAX_QUICK_DEPTH = 20;

/** A quick yes for what sessions usually hold; everything else is for {@link refuseLoss} to judge. */
function isPlainData(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > MAX_QUICK_DEPTH || 'toJSON' in value) return false;
  if (Array.isArray(value)) return isPlainList(value, depth);
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    if (!isPlainData((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

/** Unlike `every`, sees the holes, too. */
function isPlainList(list: readonly unknown[], depth: number): boolean {
  for (let index = 0; index < list.length; index++) {
    if (!isPlainData(list[index], depth + 1)) return false;
  }
  return true;
}

/** Deep enough for data, and shallow enough that a request cannot keep the process busy with a path of many levels. */
const MAX_DEPTH = 50;

/**
 * Refuses what `JSON.stringify` would leave out, turn into `null` or `{}`, or not come to an end with.
 *
 * @param path - of the value, such as `cart[0].price`
 * @param ancestors - the objects that hold the value
 * @throws SessionEncodingError
 */
function refuseLoss(value: unknown, path: string, ancestors = new Set<object>()): void {
  const problem = lossOf(value, ancestors);
  if (problem) throw SessionEncodingError.create(path, problem);
  if (typeof value !== 'object' || value === null) return;
  ancestors.add(value);
  if (hasToJson(value)) {
    refuseLoss(value.toJSON(), path, ancestors);
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      refuseLoss(value[index], `${path}[${index}]`, ancestors);
    }
  } else {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) refuseLoss(item, `${path}.${key}`, ancestors);
    }
  }
  ancestors.delete(value);
}

function lossOf(value: unknown, ancestors: ReadonlySet<object>): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : 'is not a finite number';
    case 'object':
      return value === null ? undefined : lossOfObject(value, ancestors);
    case 'string':
    case 'boolean':
      return undefined;
    case 'undefined':
      return 'is undefined';
    default:
      return `is a ${typeof value}`;
  }
}

function lossOfObject(value: object, ancestors: ReadonlySet<object>): string | undefined {
  if (ancestors.has(value)) return 'contains itself';
  if (ancestors.size >= MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`;
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? 'is an invalid date' : undefined;
  if (value instanceof Number) return lossOf(value.valueOf(), ancestors);
  if (hasToJson(value) || Array.isArray(value) || isPlain(value)) return undefined;
  if (value instanceof String || value instanceof Boolean) return undefined;
  if (ArrayBuffer.isView(value)) return 'is a typed array';
  const builtIn = builtInNameOf(value);
  if (builtIn) return `is a ${builtIn}`;
  return Object.keys(value).length === 0 ? 'has no enumerable properties' : undefined;
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** Of any realm: `Object.prototype` is the one that has none itself. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The class of the language or the platform that `value` is of, by whatever class of the application. */
function builtInNameOf(value: object): string | undefined {
  for (let type = value; !isPlain(type); type = Object.getPrototypeOf(type) as object) {
    const prototype = Object.getPrototypeOf(type) as object;
    const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    if (typeof constructor === 'function' && isBuiltIn(constructor)) return constructor.name;
  }
  return undefined;
}

/** What an application makes global itself is enumerable. */
function isBuiltIn(constructor: { readonly name: unknown }): boolean {
  const { name } = constructor;
  if (typeof name !== 'string') return false;
  return [globalThis, Intl].some(
    (owner: object) =>
      Object.hasOwn(owner, name) &&
      !Object.prototype.propertyIsEnumerable.call(owner, name) &&
      (owner as Record<string, unknown>)[name] === constructor,
  );
}

/** What {@link tolerantCodec} is told, as in the options of a repository. */
interface TolerantCodecOptions {
  readonly codec: SessionCodec;
  readonly logger: SessionLogger;
  readonly onCorrupt: 'error' | 'new-session';
}

/**
 * The codec without the messages of its own errors, which may quote a value. With `onCorrupt: 'new-session'`, an attribute
 * that cannot be decoded is absent.
 */
export function tolerantCodec({ codec, onCorrupt, logger }: TolerantCodecOptions): SessionCodec {
  const encode = (value: unknown, name: string) => {
    try {
      return codec.encode(value, name);
    } catch (error) {
      if (error instanceof SessionEncodingError) throw error;
      throw SessionEncodingError.create(
        name,
        'is refused by the codec',
        'Store a value that it takes.',
      );
    }
  };
  const decode = (text: string, name: string) => {
    try {
      return codec.decode(text, name);
    } catch {
      const message = `Cannot decode the session attribute ${quoted(name)}: its stored value is not of this codec. Remove it, or configure the codec that wrote it.`;
      if (onCorrupt === 'error') throw new SessionCorruptError(message);
      logger.warn(message);
      return undefined;
    }
  };
  return { encode, decode };
}
