import secureJson from 'secure-json-parse';
import { type SessionCodec } from './session-codec.js';
import { SessionEncodingError } from './session.errors.js';

/**
 * Stores values as JSON. Parsing drops `__proto__` and `constructor.prototype` keys, so that a stored value cannot
 * pollute a prototype.
 *
 * A `Date` comes back as its ISO string. What JSON would silently lose (functions, symbols, bigints, `NaN`, `Map`,
 * `Set`, cycles) is refused with the path to it.
 */
export const jsonSessionCodec: SessionCodec = {
  encode(value, name) {
    refuseLoss(value, name, []);
    return JSON.stringify(value);
  },

  decode(text) {
    return secureJson.parse(text, null, {
      protoAction: 'remove',
      constructorAction: 'remove',
    }) as unknown;
  },
};

function refuseLoss(value: unknown, path: string, ancestors: readonly object[]): void {
  const problem = lossOf(value, ancestors);
  if (problem) throw SessionEncodingError.create(path, problem);
  if (typeof value !== 'object' || value === null || hasToJson(value)) return;
  const inner = [...ancestors, value];
  if (Array.isArray(value)) {
    value.forEach((item, index) => refuseLoss(item ?? null, `${path}[${index}]`, inner));
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) refuseLoss(item, `${path}.${key}`, inner);
  }
}

function lossOf(value: unknown, ancestors: readonly object[]): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : 'is not a finite number';
    case 'object':
      if (value === null) return undefined;
      if (ancestors.includes(value)) return 'contains itself';
      return value instanceof Map || value instanceof Set ? 'is a Map or a Set' : undefined;
    case 'string':
    case 'boolean':
      return undefined;
    default:
      return `is a ${typeof value}`;
  }
}

function hasToJson(value: object): boolean {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
