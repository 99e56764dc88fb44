import secureJson from 'secure-json-parse';
import { type SessionCodec } from './session-codec.js';
import { SessionEncodingError } from './session.errors.js';

/**
 * Stores values as JSON. Parsing drops `__proto__` and `constructor.prototype` keys, so that a stored value cannot
 * pollute a prototype.
 *
 * A `Date` comes back as its ISO string. What JSON would silently lose (functions, symbols, bigints, `NaN`, `Map`,
 * `Set`, promises, errors, typed arrays, cycles) is refused with the path to it.
 */
export const jsonSessionCodec: SessionCodec = {
  encode(value, name) {
    if (!isPlainData(value, 0)) refuseLoss(value, name, []);
    return JSON.stringify(value);
  },

  decode(text) {
    return secureJson.parse(text, null, {
      protoAction: 'remove',
      constructorAction: 'remove',
    }) as unknown;
  },
};

/** Deep enough for data, far from the depth at which recursion ends in a RangeError. */
const MAX_DEPTH = 500;

/** Deep enough for nearly all data; what is deeper takes the slow way. */
const MAX_QUICK_DEPTH = 20;

const NOT_PLAIN = [Map, Set, WeakMap, WeakSet, Promise, RegExp, Error, ArrayBuffer];

/** A quick yes for what sessions usually hold; everything else is for {@link refuseLoss} to judge. */
function isPlainData(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > MAX_QUICK_DEPTH || 'toJSON' in value) return false;
  if (Array.isArray(value)) return value.every((item) => isPlainData(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    if (!isPlainData((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

function refuseLoss(value: unknown, path: string, ancestors: readonly object[]): void {
  const problem = lossOf(value, ancestors);
  if (problem) throw SessionEncodingError.create(path, problem);
  if (typeof value !== 'object' || value === null) return;
  const inner = [...ancestors, value];
  if (hasToJson(value)) {
    refuseLoss(value.toJSON(), path, inner);
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => refuseLoss(item ?? null, `${path}[${index}]`, inner));
  } else {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) refuseLoss(item, `${path}.${key}`, inner);
    }
  }
}

function lossOf(value: unknown, ancestors: readonly object[]): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : 'is not a finite number';
    case 'object':
      return value === null ? undefined : lossOfObject(value, ancestors);
    case 'string':
    case 'boolean':
      return undefined;
    default:
      return `is a ${typeof value}`;
  }
}

function lossOfObject(value: object, ancestors: readonly object[]): string | undefined {
  if (ancestors.includes(value)) return 'contains itself';
  if (ancestors.length > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`;
  if (hasToJson(value)) return undefined;
  const kind = NOT_PLAIN.find((type) => value instanceof type);
  if (kind) return `is a ${kind.name}`;
  return ArrayBuffer.isView(value) ? 'is a typed array' : undefined;
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
