import { describe, expect, it } from '@jest/globals';
import { HashText, KnownHash, KnownHashes, HashList } from './hash-fields.js';

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

function knownOf(...parts: string[]): KnownHash | undefined {
  const hash = HashText.parse(parts.length, parts.join('\0'));
  if (!hash) throw new Error('The parts are no hash.');
  return KnownHash.of(hash);
}

describe('KnownHash', () => {
  it('is made of hashes with a version alone', () => {
    expect(knownOf('version', 'v1', 'sessionAttr:a', '1')?.version).toBe('v1');
    expect(knownOf('sessionAttr:a', '1')).toBeUndefined();
  });

  it('has what was changed, and not what was removed', () => {
    const known = knownOf('version', 'v1', 'sessionAttr:a', '1')
      ?.with([['b', '2']], 'v2')
      .with([['sessionAttr:a', undefined]]);
    expect(known?.version).toBe('v2');
    expect([...(known?.keys() ?? [])]).toEqual(['version', 'b']);
    expect(known?.get('b')).toBe('2');
    expect(known?.get('sessionAttr:a')).toBeUndefined();
    expect(known?.get('none')).toBeUndefined();
  });
});

/** As the scripts do it. */
function parse(...parts: string[]): HashText | undefined {
  return HashText.parse(parts.length, parts.join('\0'));
}

describe('HashText', () => {
  it('finds the value of each field, empty ones too', () => {
    const hash = parse('a', '1', '', 'of the empty name', 'empty', '');
    expect(['a', '', 'empty', 'b'].map((field) => hash?.get(field))).toEqual([
      '1',
      'of the empty name',
      '',
      undefined,
    ]);
    expect([...(hash?.keys() ?? [])]).toEqual(['a', '', 'empty']);
  });

  it('takes the last value of a field that comes twice', () => {
    expect(parse('a', '1', 'b', '2', 'a', '3')?.get('a')).toBe('3');
  });

  it('does not take a value for a field', () => {
    const hash = parse('a', 'b', 'c', 'b', 'd', 'a');
    expect(hash?.get('b')).toBeUndefined();
    expect(hash?.get('a')).toBe('b');
  });

  it('does not take the start of a field for the field', () => {
    expect(parse('cart2', '1', 'car', '2')?.get('cart')).toBeUndefined();
  });

  it('is empty without parts, whose text is missing', () => {
    const hash = HashText.parse('0', undefined);
    expect(hash?.size).toBe(0);
    expect(hash?.get('')).toBeUndefined();
  });

  it('refuses a text that has the separator inside a part', () => {
    expect(HashText.parse(2, 'a\0b\0c')).toBeUndefined();
  });
});

describe(HashList, () => {
  it.each([
    ['a list', ['a', '1', 'constructor', '']],
    ['an object', { a: '1', constructor: '' }],
  ])('finds fields in %s, and only those', (_form, reply) => {
    const hash = HashList.of(reply);
    expect([hash.get('a'), hash.get('constructor'), hash.get('1'), hash.get('')]).toEqual([
      '1',
      '',
      undefined,
      undefined,
    ]);
    expect(hash.size).toBe(2);
    expect([...hash.keys()]).toEqual(['a', 'constructor']);
  });
});
