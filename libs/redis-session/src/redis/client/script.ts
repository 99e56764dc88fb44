import { SessionCorruptError, SessionStoreError } from '../../session/session.errors.js';
import { withDeadline } from '../../lib/deadline.js';

/** What a script is told: its keys, and what else it takes. */
export type ScriptArguments = readonly (string | number)[];

/** What became of a script, the server's clock in epoch ms, and what else the script has to say. */
export type ScriptReply = readonly [outcome: number, nowMs: number, ...rest: unknown[]];

/**
 * The same before it is read: a client with the option `stringNumbers` makes strings of all. A script that saves and has
 * nothing else to say answers with the server's clock alone, which costs less than a list.
 */
export type RawReply = readonly unknown[] | number | string;

/** Outcome of a script that ran after its latest moment: it has written nothing. */
export const TOO_LATE = -2;

/** Outcomes of a save; all but the first have written nothing. */
export const SAVED = 1;
export const MISSING = -1;
export const CONFLICT = -3;
export const INDEX_CONFLICT = -4;

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

/** @returns the reply to a save of a session whose key does not hold a hash. @throws `error` when it is another one */
export function missingIfNoHash(error: unknown): ScriptReply {
  if (isWrongType(error)) return [MISSING, NaN];
  throw error;
}

/** One answer of the server: what its clock showed, and our time before and after. All epoch ms. */
export interface ClockReading {
  readonly serverMs: number;
  readonly sentMs: number;
  readonly receivedMs: number;
}

/**
 * Knows how far the clock of the Redis server is from ours, so that a write can carry the latest moment at which it may
 * take place: one that lay in a buffer while its caller gave up changes nothing later.
 *
 * Each answer tells how far ahead the server is at least. The greatest of these is kept: it is never too great, and the
 * quicker the quickest answer was, the closer it is.
 */
export class ServerClock {
  private offsetMs: number | undefined;

  /** @returns `localMs` on the server's clock, or somewhat earlier; both epoch ms */
  toServerMs(localMs: number): number {
    return Math.floor(localMs + (this.offsetMs ?? 0));
  }

  /** The server's clock was read between sending and receiving. */
  adjust({ serverMs, sentMs, receivedMs }: ClockReading): void {
    const atLeast = serverMs - receivedMs;
    const atMost = serverMs - sentMs;
    const known = this.offsetMs ?? atLeast;
    this.offsetMs = known > atMost ? atLeast : Math.max(known, atLeast);
  }
}

/** Our clock, the server's and timers count whole milliseconds: together they can be wrong by this much. */
const CLOCK_GRAIN_MS = 3;

/** Sends scripts that can change nothing any more once their caller has given up. */
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
    const reply = await send(this.serverClock.toServerMs(giveUpMs - CLOCK_GRAIN_MS));
    const [first, second, ...rest] = typeof reply === 'object' ? reply : [SAVED, reply];
    const [outcome, serverMs, receivedMs] = [Number(first), Number(second), Date.now()];
    this.serverClock.adjust({ serverMs, sentMs, receivedMs });
    const isInVain = outcome === TOO_LATE && !isLast && receivedMs < giveUpMs;
    return isInVain ? this.attempt(send, giveUpMs, true) : [outcome, serverMs, ...rest];
  }
}
