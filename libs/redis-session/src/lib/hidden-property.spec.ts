import { describe, expect, it } from '@jest/globals';
import { hiddenProperty } from './hidden-property.js';

describe('hiddenProperty', () => {
  it('is undefined until it is set, and can be set again', () => {
    const { get, set } = property();
    const target = {};
    expect(get(target)).toBeUndefined();
    set(target, 1);
    expect(get(target)).toBe(1);
    set(target, 2);
    expect(get(target)).toBe(2);
  });

  it('belongs to one object, and not to those that inherit from it', () => {
    const { get, set } = property();
    const target = {};
    set(target, 1);
    expect(get(Object.create(target) as object)).toBeUndefined();
    expect(get({})).toBeUndefined();
  });

  it('is another one at each call', () => {
    const [one, other] = [property(), property()];
    const target = {};
    one.set(target, 1);
    expect(other.get(target)).toBeUndefined();
  });

  it('shows nothing to anybody else, and needs no leave of a frozen object', () => {
    const { get, set } = property();
    const target = Object.freeze({});
    set(target, 1);
    expect(Reflect.ownKeys(target)).toEqual([]);
    expect(get(target)).toBe(1);
  });
});

function property() {
  const hidden = hiddenProperty<number>();
  return {
    get: (target: object) => hidden.get(target),
    set: (target: object, value: number) => {
      hidden.set(target, value);
    },
  };
}
