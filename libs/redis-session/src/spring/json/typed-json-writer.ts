import { quoted } from '../../lib/logger.js';
import { SessionEncodingError } from '../../session/session.errors.js';
import {
  ExactNumber,
  type Fields,
  fieldsOf,
  JavaValue,
  javaClassOf,
  StoredClass,
  StoredValue,
  typeOf,
  UNTYPED,
} from '../java-value.js';
import { isLarge, marked } from './exact-numbers.js';
import {
  isConstants,
  type JavaType,
  type JavaTypes,
  MAX_TEXT_LENGTH,
  scalarOf,
  TYPED_SCALARS,
} from './java-types.js';
import { CLASS_PROPERTY, DATE, fromTyped, LIST, MAP, PLAIN_MAPS } from './typed-json-reader.js';

/** Jackson reads names of properties up to 50,000 characters. */
const MAX_NAME_LENGTH = 50_000;
const HASH_SET = 'java.util.HashSet';
const UNMODIFIABLE_SET = 'java.util.Collections$UnmodifiableSet';

/** Makes JSON with Java's types of values. */
export class TypedJson {
  /** @param types - what Spring can read; undefined = nothing is refused, so that what has been read can be compared */
  constructor(private readonly types?: JavaTypes) {}

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
    if (value instanceof JavaValue) return this.valueOf(value, path);
    if (value instanceof Number || value instanceof String || value instanceof Boolean)
      return this.of(value.valueOf(), path, isDeclared);
    if ('toJSON' in value && typeof value.toJSON === 'function')
      return this.of((value as { toJSON(): unknown }).toJSON(), path, isDeclared);
    return this.objectOf(value, path, isDeclared);
  }

  private objectOf(value: object, path: string, isDeclared: boolean): unknown {
    const type = typeOf(value);
    const className = type instanceof StoredClass ? type.name : type;
    const isTrusted = type instanceof StoredClass && type.json === undefined;
    if (className === undefined || isTrusted || !this.types) {
      // What has no type inside of an object needs one outside of it.
      const known = className === UNTYPED && !isDeclared ? undefined : className;
      return Array.isArray(value) ? this.list(value, path, known) : this.object(value, path, known);
    }
    const json = type instanceof StoredClass ? type.json : undefined;
    return isUnchanged(value, json, path) ? json : this.named(value, className, path);
  }

  private list(value: readonly unknown[], path: string, className = LIST): unknown {
    const isDeclared = className === UNTYPED;
    const items = value.map((item, index) => this.of(item, `${path}[${index}]`, isDeclared));
    return isDeclared ? items : [className, items];
  }

  private object(value: object, path: string, className = MAP): unknown {
    const isDeclared = !PLAIN_MAPS.has(className);
    return jsonOf(value, path, className, (key, item) =>
      this.of(item, `${path}.${key}`, isDeclared),
    );
  }

  private valueOf(value: JavaValue, path: string): unknown {
    const { className } = value;
    if (!this.types || value instanceof StoredValue) return [className, value.value];
    const json = this.named(value, className, path);
    return Array.isArray(json) ? json : [className, json];
  }

  /** A value of a class that the application has named. */
  private named(value: object, className: string, path: string): unknown {
    if (this.types?.of(className))
      return this.field(value, { name: className, text: className, isOptional: false }, path);
    return refuse(
      path,
      `is of the Java class ${quoted(className)}, whose fields are not known here`,
      'Describe the class in springSession.classes, and allow it at Spring.',
    );
  }

  /** @param json - what Spring has written there, if it has */
  private field(value: unknown, type: JavaType, path: string, json?: unknown): unknown {
    if (isUnchanged(value, json, path, true)) return json;
    if (type.name === 'Object') return this.of(value ?? null, path, false);
    if (value === null && type.isOptional) return null;
    const scalar = scalarOf(value, type.name);
    const className = TYPED_SCALARS[type.name];
    if (scalar !== undefined) return className === undefined ? scalar : [className, scalar];
    const description = type.item ? type : this.types?.of(type.name);
    const content = value instanceof JavaValue ? value.value : value;
    if (isConstants(description) && description.some((each) => each === content)) return content;
    if (!description || isConstants(description)) return misfit(path, type);
    if (!('name' in description)) return this.fields(value, description, { type, path, json });
    const { item } = description;
    if (!item) return this.field(value, description, path);
    const given = type.item ? undefined : type.name;
    return this.collection(value, { ...description, item }, path, given);
  }

  private collection(
    value: unknown,
    type: Required<JavaType>,
    path: string,
    className?: string,
  ): unknown {
    const { item, name } = type;
    if (!isObject(value) || Array.isArray(value) === (name === 'Map')) return misfit(path, type);
    const given = className ?? this.collectionClassOf(value, type, path);
    if (Array.isArray(value))
      return [given, value.map((each, index) => this.field(each, item, `${path}[${index}]`))];
    return jsonOf(value, path, given, (key, each) => this.field(each, item, `${path}.${key}`));
  }

  private collectionClassOf(value: object, type: JavaType, path: string): string {
    const given = javaClassOf(value) ?? '';
    const known = this.types?.of(given);
    if (known && 'name' in known && known.name === type.name) return given;
    if (typeof typeOf(value) === 'string') return misfit(path, type);
    if (type.name === 'Set') return this.types?.of(HASH_SET) ? HASH_SET : UNMODIFIABLE_SET;
    return type.name === 'Map' ? MAP : LIST;
  }

  private fields(
    value: unknown,
    types: ReadonlyMap<string, JavaType>,
    { type, path, json: around }: { type: JavaType; path: string; json: unknown },
  ): unknown {
    const className = javaClassOf(value) ?? type.name;
    const isOfClass = className === UNTYPED || className === type.name;
    if (!isObject(value) || Array.isArray(value) || !isOfClass) return misfit(path, type);
    const given: Fields = { ...value };
    for (const [name, each] of types)
      if (given[name] === undefined && !each.isOptional) misfit(`${path}.${name}`, each);
    const stored = typeOf(value);
    const before = fieldsOf((stored instanceof StoredClass && stored.json) || around);
    return jsonOf(given, path, className, (key, item) => {
      const [fieldType, json] = [types.get(key), before?.[key]];
      if (fieldType) return this.field(item, fieldType, `${path}.${key}`, json);
      if (isUnchanged(item, json, `${path}.${key}`, true)) return json;
      const where = `springSession.classes[${quoted(type.name)}]`;
      return refuse(
        `${path}.${key}`,
        'has a type that is not known here',
        `Describe it in ${where}.`,
      );
    });
  }
}

function isObject(value: unknown): value is object {
  const isScalar = value instanceof Date || value instanceof JavaValue;
  return typeof value === 'object' && value !== null && !isScalar;
}

/** Whether a value is what Spring has written. */
function isUnchanged(value: unknown, json: unknown, path: string, isDeclared = false): boolean {
  if (json === undefined) return false;
  const unchecked = new TypedJson();
  const text = JSON.stringify(unchecked.of(value, path, isDeclared));
  const again = () => JSON.stringify(unchecked.of(fromTyped(json, isDeclared), path, isDeclared));
  return text === JSON.stringify(json) || text === again();
}

function misfit(path: string, { text }: JavaType): never {
  return refuse(
    path,
    `is no ${text} of Java`,
    'Store such a value, or correct springSession.classes.',
  );
}

function refuse(path: string, problem: string, remedy: string): never {
  const reason = `${problem}, and Spring answers 500 to what it cannot read`;
  throw SessionEncodingError.create(path, reason, remedy);
}

/** @param of - makes the JSON of a property */
function jsonOf(
  value: object,
  path: string,
  className: string,
  of: (key: string, item: unknown) => unknown,
): unknown {
  const entries: [string, unknown][] = className === UNTYPED ? [] : [[CLASS_PROPERTY, className]];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    refuseName(key, path);
    entries.push([key, of(key, item)]);
  }
  return Object.fromEntries(entries);
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
