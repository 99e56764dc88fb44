import {
  refused,
  SessionCorruptError,
  SessionStoreError,
  updatesInDoubt,
} from '../../session/session.errors.js';
import { withDeadline } from '../../lib/store-operation.js';
import { type RedisClient } from './redis-client.js';

/** What a script is told: its keys, and what else it takes. */
export type ScriptArguments = readonly (string | number)[];

/** What became of a script, the server's clock in epoch ms, and what else the script has to say. */
export type ScriptReply = readonly [outcome: number, nowMs: number, ...rest: unknown[]];

/**
 * The same before it is read: a client with the option `stringNumbers` makes strings of all. A script that saves and has
 * nothing else to say answers with the server's clock alone, which costs less than a list.
 */
export type RawReply = readonly unknown[] | number | string;

/** A script as `scripts.generated.ts` has it; without `numberOfKeys`, the number comes before the keys. */
export interface LuaScript {
  readonly lua: string;
  readonly numberOfKeys?: number;
}

/** Sends a script. */
export type Script<Reply = RawReply> = (...args: ScriptArguments) => Promise<Reply>;

/** Makes `script` a command of `client`. @returns what sends it */
export function scriptOf<Reply = RawReply>(
  client: RedisClient,
  commandName: string,
  script: LuaScript,
): Script<Reply> {
  client.defineCommand(commandName, script);
  return (...args) => callCommand(client, commandName, args) as Promise<Reply>;
}

/**
 * @param sender - a client, or one of its pipelines: both have a method for each command of `defineCommand`
 * @returns the promise of the reply, or the pipeline
 */
export function callCommand(sender: object, commandName: string, args: ScriptArguments): unknown {
  const call = Reflect.get(sender, commandName) as (...args: ScriptArguments) => unknown;
  return Reflect.apply(call, sender, args);
}

/** Outcome of a script that ran after its latest moment: it has written nothing. */
const TOO_LATE = -2;

/** Outcomes of a save; all but the first have written nothing. */
export const SAVED = 1;
export const MISSING = -1;
export const CONFLICT = -3;
export const INDEX_CONFLICT = -4;

/** The error for an outcome that the caller of `script` does not know. */
export function unknownOutcome(script: string, outcome: number): SessionStoreError {
  return SessionStoreError.create(`run ${script}`, new Error(`it answered ${outcome}`));
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

/** Ms after its latest moment for which an update that is sent again finds out that it is saved: see `markSave.lua`. */
const MARK_LIFE_MS = 10_000;

/** Epoch ms of the year 2001. What is less is no clock, but the reply to another command. */
const EARLIEST_MS = 1e12;

/** What is said of a reply that does not fit the command. */
export const SENSELESS = 'its reply makes no sense';

/** @throws Error when `reply` is no integer, which the option `stringNumbers` of a client makes a string */
export function integerOf(reply: unknown): number {
  const isText = typeof reply === 'string' && /^-?\d+$/.test(reply);
  if (Number.isInteger(reply) || isText) return Number(reply);
  throw new Error(SENSELESS);
}

/**
 * Sends a script once more when Redis still does not know it. ioredis sends it again once: beside others, and under a `SCRIPT FLUSH`,
 * that may be too early. Nothing was done so far.
 */
export function sendUntilKnown<T>(send: () => Promise<T>): Promise<T> {
  return send().catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return send();
    throw error;
  });
}

/** @throws Error when `reply` is no list */
export function listOf<T>(reply: readonly T[]): readonly T[] {
  if (!Array.isArray(reply)) throw new Error(SENSELESS);
  return reply as readonly T[];
}

/**
 * @returns `reply`
 * @throws Error when it is `[1, now]`, as of a script that records an event: one that saves tells more, or the clock alone
 */
export function replyToSave(reply: RawReply): RawReply {
  if (Array.isArray(reply) && reply.length === 2 && Number(reply[0]) === SAVED)
    throw new Error(SENSELESS);
  return reply;
}

/** What Redis answers to the first write of a script. A script with a mark has found out by then whether it ran before. */
const REFUSAL = /\b(OOM|MISCONF|NOREPLICAS|READONLY)\b/;

/** Sends scripts that can change nothing any more once their caller has given up. */
export class WriteDeadline {
  private readonly serverClock = new ServerClock();

  constructor(private readonly timeoutMs: number) {}

  /**
   * Tells the script when its caller gives up. A script that came too late has done nothing: the server's clock was not
   * known, or this process was too busy to send it. It is sent once more, with as much time.
   *
   * @throws SessionStoreError
   */
  async inTime(
    action: string,
    send: (latestMs: number) => Promise<RawReply>,
  ): Promise<ScriptReply> {
    const latestMs = this.latestMs();
    const reply = await this.attempt(action, () => send(latestMs));
    if (reply[0] !== TOO_LATE) return reply;
    const nextLatestMs = this.latestMs();
    const nextReply = await this.attempt(action, () => send(nextLatestMs));
    const isInDoubt = outlivesMark(reply, latestMs);
    if (isInDoubt && nextReply[0] === CONFLICT) throw updatesInDoubt();
    if (nextReply[0] !== TOO_LATE) return nextReply;
    const error = SessionStoreError.create(action, new Error('too late by the clock of Redis'));
    throw isInDoubt || outlivesMark(nextReply, nextLatestMs) ? error : refused(error);
  }

  /** When the caller of a script that is sent now gives up: epoch ms on the clock of the server. */
  private latestMs(): number {
    return this.serverClock.toServerMs(Date.now() + this.timeoutMs - CLOCK_GRAIN_MS);
  }

  private async attempt(action: string, send: () => Promise<RawReply>): Promise<ScriptReply> {
    try {
      return await withDeadline(action, this.timeoutMs, this.read(send));
    } catch (error) {
      const { cause } = error as Error;
      const isRefused = cause instanceof Error && REFUSAL.test(cause.message);
      throw isRefused ? refused(error as Error) : error;
    }
  }

  private async read(send: () => Promise<RawReply>): Promise<ScriptReply> {
    const sentMs = Date.now();
    const reply = await sendUntilKnown(send);
    const [first, second, ...rest] = Array.isArray(reply) ? (reply as unknown[]) : [SAVED, reply];
    const [outcome, serverMs] = [integerOf(first), integerOf(second)];
    if (serverMs < EARLIEST_MS) throw new Error(SENSELESS);
    this.serverClock.adjust({ serverMs, sentMs, receivedMs: Date.now() });
    return [outcome, serverMs, ...rest];
  }
}

/** Whether the client may have sent the script twice: in time, when its reply was lost, and after its mark was gone. */
function outlivesMark([, nowMs]: ScriptReply, latestMs: number): boolean {
  return nowMs > latestMs + MARK_LIFE_MS;
}
