import { describe, expect, it } from '@jest/globals';
import { ServerClock } from './script.js';

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
