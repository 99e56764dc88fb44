import { SessionEncodingError } from '../session.errors.js';

/** Deep enough for data, and shallow enough that a request cannot keep the process busy with a path of many levels. */
const MAX_DEPTH = 50;

/**
 * Refuses what `JSON.stringify` would leave out, turn into `null` or `{}`, or not come to an end with.
 *
 * @param path - of the value, such as `cart[0].price`
 * @param ancestors - the objects that hold the value
 * @throws SessionEncodingError
 */
export function refuseLoss(value: unknown, path: string, ancestors = new Set<object>()): void {
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
