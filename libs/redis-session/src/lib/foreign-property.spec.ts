import { describe, expect, it } from '@jest/globals';
import { foreignProperty } from './foreign-property.js';

describe(foreignProperty, () => {
  it('is undefined until it is set, and can be set again', () => {
    const property = foreignProperty<number>('number');
    const target = {};
    expect(property.get(target)).toBeUndefined();
    property.set(target, 1);
    property.set(target, 2);
    expect(property.get(target)).toBe(2);
  });

  it('collides with no other property of the same name', () => {
    const [one, other] = [foreignProperty<number>('same'), foreignProperty<number>('same')];
    const target = { same: 3 };
    one.set(target, 1);
    expect(other.get(target)).toBeUndefined();
    expect(target.same).toBe(3);
  });

  it('is in no JSON and no list of keys', () => {
    const target = {};
    foreignProperty<number>('number').set(target, 1);
    expect(JSON.stringify(target)).toBe('{}');
    expect(Object.keys(target)).toEqual([]);
  });
});
