import { describe, expect, it } from '@jest/globals';
import { HashText } from './hash-text.js';
import { KnownHash } from './known-hashes.js';

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
