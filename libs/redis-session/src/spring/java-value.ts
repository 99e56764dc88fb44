/** Holds the Java class of an object or an array. Enumerable, so that `{ ...cart }` keeps the class. */
const JAVA_CLASS = Symbol.for('nestjs-redis-session.java-class');

/** Inside an object of a class, where Java declares the types: written without one. */
export const UNTYPED = '';

/** A value of a Java class that is neither an object nor a list in JSON, such as a `java.math.BigDecimal`. */
export class JavaValue {
  constructor(
    /** Such as `java.math.BigDecimal`. */
    readonly className: string,
    /** The value as JSON has it; the text of a `BigDecimal`, such as `'19.90'`. */
    readonly value: unknown,
  ) {}
}

/** The class of an object that Spring has written or that this library fills in itself: Spring can read it as it is. */
export class StoredClass {
  /** Private, so that no log shows it. */
  readonly #json: unknown;

  /** @param json - as Spring has written the object; undefined = it is of this library */
  constructor(
    readonly name: string,
    json?: unknown,
  ) {
    this.#json = json;
  }

  get json(): unknown {
    return this.#json;
  }
}

/** A value that was read. */
export class StoredValue extends JavaValue {}

/** A number that JavaScript would change. Without a class where JSON has none. */
export class ExactNumber extends StoredValue {
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
 * Makes `value` an instance of a Java class for Spring. Describe the class in `springSession.classes`, unless it is a collection.
 *
 * ```ts
 * session.setAttribute('cart', ofJavaClass('com.shop.Cart', { owner: 'kim', items: [] }));
 * ```
 *
 * @param className - such as `com.shop.Cart`, or `java.util.HashSet` for an array
 */
export function ofJavaClass<T extends object>(className: string, value: T): T & JavaTyped {
  return Object.assign(value, { [JAVA_CLASS]: className });
}

/** {@link ofJavaClass} for what Spring can read for sure. @param json - as Spring has written it; left out = it is of this library */
export function ofStoredClass(className: string, value: object, json?: unknown): object {
  return Object.assign(value, { [JAVA_CLASS]: new StoredClass(className, json) });
}

/** Tells the Java class of a value that was read of a session. @returns undefined for plain values, lists and maps */
export function javaClassOf(value: unknown): string | undefined {
  if (value instanceof ExactNumber && value.className === UNTYPED) return undefined;
  if (value instanceof JavaValue) return value.className;
  const type = typeOf(value);
  return type instanceof StoredClass ? type.name : type;
}

/** The class of an object or an array, and what is known of it. */
export function typeOf(value: unknown): string | StoredClass | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as JavaTyped)[JAVA_CLASS];
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
