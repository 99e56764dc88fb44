import { describe, expect, it } from '@jest/globals';
import { HashText } from './hash-text.js';
import { KnownHash } from './known-hashes.js';
import { KnownHashes } from './known-hashes.js';

const MEGA = 1024 * 1024;

function hashOf(version: string, length: number): KnownHash | undefined {
  const text = ['version', version, 'sessionAttr:a', 'x'.repeat(length)].join('\0');
  const hash = HashText.parse(4, text);
  return hash && KnownHash.of(hash);
}

describe('KnownHashes', () => {
  it('keep 16 M characters, and forget what was used least lately', () => {
    const hashes = new KnownHashes();
    for (const key of ['a', 'b', 'c']) hashes.set(key, hashOf(key, 5 * MEGA));
    hashes.get('a');
    hashes.set('d', hashOf('d', 5 * MEGA));
    expect(['a', 'b', 'c', 'd'].map((key) => hashes.has(key))).toEqual([true, false, true, true]);
    hashes.delete('a');
    hashes.set('c', hashOf('c2', 3 * MEGA));
    hashes.set('b', hashOf('b', 5 * MEGA));
    expect(['a', 'b', 'c', 'd'].map((key) => hashes.has(key))).toEqual([false, true, true, true]);
  });

  it('know a hash after a save when it had the known version before', () => {
    const hashes = new KnownHashes();
    const known = hashOf('v1', 5000);
    hashes.set('a', known);
    hashes.move('a', 'b', known?.afterSave([['x', '1']], 'v2'));
    expect(['a', 'b'].map((key) => hashes.get(key)?.version)).toEqual([undefined, 'v2']);
    hashes.move('b', 'b', known?.afterSave([['x', '2']], ''));
    expect(hashes.has('b')).toBe(false);
  });

  it('forget a hash of which more has changed than was sent', () => {
    const hashes = new KnownHashes();
    hashes.set('a', hashOf('v1', 5000));
    const save = (name: string) =>
      hashes.move('a', 'a', hashes.get('a')?.afterSave([[name, 'y'.repeat(4000)]], 'v2'));
    save('a');
    expect(hashes.has('a')).toBe(true);
    save('b');
    expect(hashes.has('a')).toBe(false);
  });

  it('forget a hash in which many names have come and gone', () => {
    const hashes = new KnownHashes();
    hashes.set('a', hashOf('v1', 1000));
    const save = (name: string, text: string | undefined) =>
      hashes.move('a', 'a', hashes.get('a')?.afterSave([[name, text]], 'v2'));
    for (let i = 0; i < 200; i++) {
      save(`flash:${i}`, '1');
      save(`flash:${i}`, undefined);
    }
    expect(hashes.has('a')).toBe(false);
  });

  it('keep the others when one is larger than all may be', () => {
    const hashes = new KnownHashes();
    hashes.set('a', hashOf('a', MEGA));
    hashes.set('b', hashOf('b', 17 * MEGA));
    expect(['a', 'b'].map((key) => hashes.has(key))).toEqual([true, false]);
  });

  it('keep nothing when they may hold nothing', () => {
    const hashes = new KnownHashes(0);
    hashes.set('a', hashOf('v1', 5000));
    expect(hashes.has('a')).toBe(false);
  });
});
