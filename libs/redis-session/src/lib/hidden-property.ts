/** As a base class, gives its subclasses somebody else's object as `this`. */
const Adopted = function adopt(target: object): object {
  return target;
} as unknown as new (target: object) => object;

/** A property of objects that belong to others. */
export interface HiddenProperty<Value> {
  get(target: object): Value | undefined;
  set(target: object, value: Value): void;
}

/**
 * A property that nobody else can see or touch, on objects that belong to others: what a `WeakMap` is for, at the price
 * of a property. A `WeakMap` costs about 7 µs for each object that lives as long as a request, most of it in the garbage
 * collector.
 */
export function hiddenProperty<Value>(): HiddenProperty<Value> {
  class Hidden extends Adopted {
    #value: Value;

    constructor(target: object, value: Value) {
      super(target);
      this.#value = value;
    }

    static get(target: object): Value | undefined {
      return #value in target ? target.#value : undefined;
    }

    static set(target: object, value: Value): void {
      if (#value in target) target.#value = value;
      else new Hidden(target, value);
    }
  }
  return Hidden;
}
