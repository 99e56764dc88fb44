import { describe, expect, it } from '@jest/globals';
import { type StoredSession } from '../../session/session-change.js';
import { NearCache } from './near-cache.js';

function session(creationTime: number): StoredSession {
  return { creationTime, lastAccessedTime: 0, maxInactiveInterval: -1, attributes: new Map() };
}

describe('NearCache', () => {
  it('keeps what a read brings', () => {
    const cache = new NearCache(1);
    cache.keep('a', cache.beginRead('a'), session(1));
    expect(cache.get('a')).toEqual(session(1));
  });

  it.each([
    ['its key is dropped', (cache: NearCache) => cache.drop('a')],
    ['all keys are dropped', (cache: NearCache) => cache.clear()],
    ['a later read of the key begins', (cache: NearCache) => cache.beginRead('a')],
  ])('does not keep what a read brings when meanwhile %s', (_what, happen) => {
    const cache = new NearCache(1);
    const read = cache.beginRead('a');
    happen(cache);
    cache.keep('a', read, session(1));
    expect(cache.get('a')).toBeUndefined();
  });

  it('keeps what a read brings when another key is dropped meanwhile', () => {
    const cache = new NearCache(1);
    const read = cache.beginRead('a');
    cache.drop('b');
    cache.keep('a', read, session(1));
    expect(cache.get('a')).toBeDefined();
  });

  it('drops the one that was used least lately when there are too many', () => {
    const cache = new NearCache(2);
    for (const key of ['a', 'b']) cache.keep(key, cache.beginRead(key), session(1));
    cache.get('a');
    cache.keep('c', cache.beginRead('c'), session(1));
    expect(['a', 'b', 'c'].filter((key) => cache.get(key))).toEqual(['a', 'c']);
  });
});
