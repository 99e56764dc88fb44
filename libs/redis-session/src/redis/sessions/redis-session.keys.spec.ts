import { describe, expect, it } from '@jest/globals';
import { generateChangedSessionId, generateSessionId } from '../../session/session-id.js';
import { redisSessionKeys } from './redis-session.mapper.js';

const keys = redisSessionKeys('nest:session');

describe('redisSessionKeys', () => {
  it('puts the first eight characters of the id in braces', () => {
    expect(keys.session('4fQz81Lwr0Y')).toBe('nest:session:sessions:{4fQz81Lw}r0Y');
    expect(keys.save('4fQz81Lwr0Y', 'save-1')).toBe('nest:session:saves:{4fQz81Lw}save-1');
  });

  it('gives all keys of a session the same hash tag, also after its id was changed', () => {
    const id = generateSessionId();
    const changedId = generateChangedSessionId(id, generateSessionId);
    const tags = [keys.session(id), keys.session(changedId), keys.save(changedId, 'x')].map(
      (key) => /\{(.+?)\}/.exec(key)?.[1],
    );
    expect(new Set(tags)).toEqual(new Set([id.slice(0, 8)]));
  });

  it('gives different ids different keys', () => {
    expect(keys.session('4fQz81Lwr0Y')).not.toBe(keys.session('4fQz81Lwr0Z'));
  });
});
