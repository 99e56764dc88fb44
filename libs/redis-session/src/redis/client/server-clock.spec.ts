import { describe, expect, it } from '@jest/globals';
import { ServerClock, WriteDeadline } from './script.js';

describe('ServerClock', () => {
  it('takes our time for that of the server until it has heard from it', () => {
    expect(new ServerClock().toServerMs(1000)).toBe(1000);
  });

  it('takes the least offset that the first answer allows', () => {
    const clock = new ServerClock();
    clock.adjust({ sentMs: 1000, receivedMs: 1020, serverMs: 1015 });
    expect(clock.toServerMs(0)).toBe(-5);
  });

  it('learns more from a quicker answer and nothing from a slower one', () => {
    const clock = new ServerClock();
    clock.adjust({ sentMs: 1000, receivedMs: 1020, serverMs: 6010 });
    expect(clock.toServerMs(0)).toBe(4990);
    clock.adjust({ sentMs: 2000, receivedMs: 2002, serverMs: 7001 });
    expect(clock.toServerMs(0)).toBe(4999);
    clock.adjust({ sentMs: 3000, receivedMs: 4000, serverMs: 8500 });
    expect(clock.toServerMs(0)).toBe(4999);
  });

  it('starts again when the clock of the server was set back', () => {
    const clock = new ServerClock();
    clock.adjust({ sentMs: 1000, receivedMs: 1020, serverMs: 6010 });
    clock.adjust({ sentMs: 2000, receivedMs: 2002, serverMs: 2001 });
    expect(clock.toServerMs(0)).toBe(-1);
  });
});

describe('WriteDeadline', () => {
  /** A script that comes too late by so many ms, and then finds that somebody has changed what it updates. */
  const conflictAfter = (lateMs: number) => {
    const outcomes = [-2, -3];
    const send = (latestMs: number) => Promise.resolve([outcomes.shift(), latestMs + lateMs]);
    return new WriteDeadline(1000).inTime('save the session', send);
  };

  it('believes a conflict of a script that came too late before', async () => {
    expect((await conflictAfter(10_000))[0]).toBe(-3);
  });

  it('does not believe it when the mark of an earlier attempt may be gone', async () => {
    await expect(conflictAfter(10_001)).rejects.toThrow('it is not known whether it saved');
  });
});
