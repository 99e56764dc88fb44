import { describe, expect, it } from '@jest/globals';
import { tryLater } from './background-loop.js';

describe('tryLater', () => {
  const times = { delayMs: 0, pauseMs: 0, isOver: () => false };

  it('tries again until the work succeeds', async () => {
    let attempts = 0;
    await tryLater(() => (++attempts < 3 ? Promise.reject(new Error()) : Promise.resolve()), times);
    expect(attempts).toBe(3);
  });

  it('gives up after eight attempts', async () => {
    let attempts = 0;
    await tryLater(() => Promise.reject(new Error(`${++attempts}`)), times);
    expect(attempts).toBe(8);
  });

  it('stops once no attempt can succeed any more', async () => {
    let attempts = 0;
    const isOver = () => attempts === 2;
    await tryLater(() => Promise.reject(new Error(`${++attempts}`)), { ...times, isOver });
    expect(attempts).toBe(2);
  });
});
