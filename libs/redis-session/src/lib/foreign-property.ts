/** A property that the library adds to objects that belong to others, such as requests. */
export interface ForeignProperty<Value> {
  get(target: object): Value | undefined;
  set(target: object, value: Value): void;
}

/**
 * Makes a property under a symbol of its own. It costs 60 ns for each request on Node 20 (127 on Node 24), as much as
 * none; a `WeakMap` costs 400 (540).
 *
 * @param name - shown by debuggers
 */
export function foreignProperty<Value>(name: string): ForeignProperty<Value> {
  const key = Symbol(name);
  type Holder = { [key]?: Value };
  return {
    get: (target) => (target as Holder)[key],
    set: (target, value) => {
      (target as Holder)[key] = value;
    },
  };
}
