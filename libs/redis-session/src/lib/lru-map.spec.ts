import { describe, expect, it } from '@jest/globals';
import { LruMap } from './lru-map.js';

describe('LruMap', () => {
  it('evicts the entry that was not used for the longest time', () => {
    const map = new LruMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
  });

  it('does not count an entry twice when it is set again', () => {
    const map = new LruMap<string>(3, (text) => text.length);
    map.set('a', 'xx');
    map.set('a', 'xx');
    map.set('b', 'y');
    expect([map.get('a'), map.get('b')]).toEqual(['xx', 'y']);
  });

  it('evicts as many entries as a heavy one needs', () => {
    const map = new LruMap<string>(4, (text) => text.length);
    map.set('a', 'xx');
    map.set('b', 'xx');
    map.set('c', 'xxxx');
    expect([map.has('a'), map.has('b'), map.has('c')]).toEqual([false, false, true]);
  });

  it('keeps the others when one entry is too heavy alone', () => {
    const map = new LruMap<string>(2, (text) => text.length);
    map.set('a', 'x');
    map.set('b', 'xxx');
    expect([map.has('a'), map.has('b')]).toEqual([true, false]);
  });

  it('has room again after entries were deleted', () => {
    const map = new LruMap<number>(1);
    map.set('a', 1);
    map.clear();
    map.set('b', 2);
    map.delete('b');
    map.set('c', 3);
    expect(map.get('c')).toBe(3);
  });
});
