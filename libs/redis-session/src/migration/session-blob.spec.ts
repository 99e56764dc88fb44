import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { movedMark, movedTo } from './session-blob.js';

describe('movedMark', () => {
  it('leads back to the id', () => {
    for (let n = 0; n < 100; n++) {
      const id = randomBytes(32).toString('base64url');
      expect(movedTo(movedMark(id))).toBe(id);
    }
  });

  it('is JSON that libraries take for no session', () => {
    expect(JSON.parse(movedMark('_'.repeat(43)))).toBe(0);
  });

  it.each(['0', '0e', '0e0', '1e12', 'null', '{"cookie":{}}', ''])('is not %j', (text) => {
    expect(movedTo(text)).toBeUndefined();
  });
});
