import { SessionCorruptError, SessionStoreError } from '../session/session.errors.js';
import { withDeadline } from './deadline.js';
import { ServerClock } from './server-clock.js';

/** What became of a write, the server's clock in epoch ms, and what else the script has to say. */
export type ScriptReply = readonly [outcome: number, nowMs: number, ...rest: unknown[]];

/** The same before it is read: a client with the option `stringNumbers` makes strings of all. */
export type RawReply = readonly unknown[];

/** Outcome of a script that ran after its latest moment: it has written nothing. */
const TOO_LATE = -2;

/** Our clock, the server's and timers count whole milliseconds: together they can be wrong by this much. */
const CLOCK_GRAIN_MS = 3;

/** Sends writes that can change nothing any more once their caller has given up. */
export class WriteDeadline {
  private readonly serverClock = new ServerClock();

  constructor(private readonly timeoutMs: number) {}

  /**
   * Tells the script when its caller gives up. Sends it once more if only the server's clock was not known.
   *
   * @throws SessionStoreError
   */
  inTime(action: string, send: (latestMs: number) => Promise<RawReply>): Promise<ScriptReply> {
    const giveUpMs = Date.now() + this.timeoutMs;
    return withDeadline(action, this.timeoutMs, this.attempt(send, giveUpMs));
  }

  private async attempt(
    send: (latestMs: number) => Promise<RawReply>,
    giveUpMs: number,
    isLast = false,
  ): Promise<ScriptReply> {
    const sentMs = Date.now();
    const [first, second, ...rest] = await send(
      this.serverClock.toServerMs(giveUpMs - CLOCK_GRAIN_MS),
    );
    const [outcome, serverMs, receivedMs] = [Number(first), Number(second), Date.now()];
    this.serverClock.adjust({ serverMs, sentMs, receivedMs });
    const isInVain = outcome === TOO_LATE && !isLast && receivedMs < giveUpMs;
    return isInVain ? this.attempt(send, giveUpMs, true) : [outcome, serverMs, ...rest];
  }
}

/** The error for an outcome that the caller of `script` does not know. */
export function unknownOutcome(script: string, outcome: number): SessionStoreError {
  const reason = outcome === TOO_LATE ? 'too late by the clock of Redis' : `it answered ${outcome}`;
  return SessionStoreError.create(`run ${script}`, new Error(reason));
}

/** @throws SessionCorruptError when the key of a session holds something else, and `error` otherwise */
export function refuseWrongType(error: unknown): never {
  if (!isWrongType(error)) throw error;
  throw new SessionCorruptError(
    'Cannot read a session: its key does not hold a hash. Delete the key; the client gets a new session.',
  );
}

/** Whether a key that should hold a hash holds something else; Redis 6 puts words before the code. */
export function isWrongType(error: unknown): boolean {
  const { cause } = error as SessionStoreError;
  return cause instanceof Error && cause.message.includes('WRONGTYPE');
}
