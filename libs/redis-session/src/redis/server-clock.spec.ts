import { describe, expect, it } from '@jest/globals';
import { ServerClock } from './server-clock.js';

describe('ServerClock', () => {
  it('takes our time for that of the server until it has heard from it', () => {
    expect(new ServerClock().toServerMs(1000)).toBe(1000);
  });

  it('keeps its offset when an answer allows it', () => {
    const clock = new ServerClock();
    clock.adjust({ sentMs: 1000, receivedMs: 1020, serverMs: 1015 });
    expect(clock.toServerMs(0)).toBe(0);
  });

  it('never gives the server more time than the answer allows', () => {
    const clock = new ServerClock();
    clock.adjust({ sentMs: 1000, receivedMs: 1020, serverMs: 500 });
    expect(clock.toServerMs(0)).toBe(-500);
    clock.adjust({ sentMs: 2000, receivedMs: 2010, serverMs: 1505 });
    expect(clock.toServerMs(0)).toBe(-500);
  });

  it('follows a server that is ahead, by as little as the answer demands', () => {
    const clock = new ServerClock();
    clock.adjust({ sentMs: 1000, receivedMs: 1020, serverMs: 6000 });
    expect(clock.toServerMs(0)).toBe(4980);
    clock.adjust({ sentMs: 2000, receivedMs: 2002, serverMs: 2001 });
    expect(clock.toServerMs(0)).toBe(1);
  });
});
