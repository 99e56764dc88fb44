import { describe, expect, it, jest } from '@jest/globals';
import {
  correlationId,
  CUSTOM_SESSION_ID_PATTERN,
  generateChangedSessionId,
  generateSessionId,
  SESSION_ID_PATTERN,
  STABLE_PREFIX_LENGTH,
} from './session-id.js';

describe('generateSessionId', () => {
  it('makes 32 random bytes in base64url, never the same twice', () => {
    const ids = Array.from({ length: 1000 }, generateSessionId);
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(32);
    expect(ids.every((id) => SESSION_ID_PATTERN.test(id))).toBe(true);
    expect(ids.every((id) => CUSTOM_SESSION_ID_PATTERN.test(id))).toBe(true);
  });
});

describe('the random bytes of an id', () => {
  it('are not in memory any more when it is made', () => {
    const sources = new Set<Buffer>();
    const prototype = Buffer.prototype as Buffer;
    const { toString } = prototype;
    const spy = jest.spyOn(prototype, 'toString').mockImplementation(function (
      this: Buffer,
      ...range
    ) {
      sources.add(this);
      return toString.apply(this, range);
    });
    const ids = Array.from({ length: 20 }, generateSessionId);
    spy.mockRestore();
    expect(sources.size).toBe(1);
    for (const id of ids)
      for (const source of sources) expect(source.includes(id, 0, 'base64url')).toBe(false);
  });
});

describe('generateChangedSessionId', () => {
  it('keeps the stable prefix and nothing else', () => {
    const id = generateSessionId();
    const changed = generateChangedSessionId(id, generateSessionId);
    expect(changed).toMatch(SESSION_ID_PATTERN);
    expect(changed.slice(0, STABLE_PREFIX_LENGTH)).toBe(id.slice(0, STABLE_PREFIX_LENGTH));
    const kept = Array.from(changed).filter(
      (char, i) => i >= STABLE_PREFIX_LENGTH && char === id[i],
    );
    expect(kept.length).toBeLessThan(12);
  });
});

describe.each([
  ['SESSION_ID_PATTERN', SESSION_ID_PATTERN],
  ['CUSTOM_SESSION_ID_PATTERN', CUSTOM_SESSION_ID_PATTERN],
])('%s', (_name, pattern) => {
  const id = generateSessionId();

  it.each([
    '',
    id.slice(0, 15),
    `${id}${'a'.repeat(256)}`,
    `${id}\n`,
    `\n${id}`,
    `${id.slice(1)} `,
    `{${id.slice(1)}`,
    `${id.slice(1)}:`,
    `${id.slice(1)}*`,
    `${id.slice(1)}\u00e9`,
    `${id.slice(1)}\0`,
  ])('refuses %j', (text) => {
    expect(pattern.test(text)).toBe(false);
  });
});

describe('correlationId', () => {
  it('is the same for the same id and tells nothing about it', () => {
    expect(correlationId('abc')).toBe('ba7816bf');
    expect(correlationId('abd')).not.toBe(correlationId('abc'));
  });
});
