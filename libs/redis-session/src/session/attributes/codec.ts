import secureJson from 'secure-json-parse';
import { refuseLoss } from './json-loss.js';

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
