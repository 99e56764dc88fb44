import { describe, expect, it } from '@jest/globals';
import { isDoubtful } from '../../session/session.errors.js';
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
  /** A script that answers with these outcomes, each so many ms too late. */
  const run = (...replies: (readonly [outcome: number, lateMs: number])[]) => {
    const answers = replies.values();
    const send = (latestMs: number) => {
      const [outcome, lateMs] = answers.next().value ?? [];
      return Promise.resolve([outcome, latestMs + Number(lateMs)]);
    };
    return new WriteDeadline(1000).inTime('save the session', send);
  };
  const failureOf = (reply: Promise<unknown>) => reply.catch((error: unknown) => error);

  it('believes a conflict of a script that came too late before', async () => {
    expect((await run([-2, 10_000], [-3, 0]))[0]).toBe(-3);
  });

  it('does not believe it when the mark of an earlier attempt may be gone', async () => {
    await expect(run([-2, 10_001], [-3, 0])).rejects.toThrow(
      'Cannot save the session: the answer to an earlier attempt was lost, and it is not known whether it saved the updates. Read the session again.',
    );
  });

  it('knows that nothing was written by a script that came too late twice', async () => {
    expect(isDoubtful(await failureOf(run([-2, 10_000], [-2, 10_000])))).toBe(false);
  });

  it.each([
    ['first', 10_001, 1],
    ['second', 1, 10_001],
  ])('does not know it when the mark of the %s attempt may be gone', async (_, first, second) => {
    expect(isDoubtful(await failureOf(run([-2, first], [-2, second])))).toBe(true);
  });
});
