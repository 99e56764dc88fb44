import { SessionCorruptError, SessionStoreError } from '../session/session.errors.js';

/** What a script is told: its keys, and what else it takes. */
export type ScriptArguments = readonly (string | number)[];

/** What became of a script, the server's clock in epoch ms, and what else the script has to say. */
export type ScriptReply = readonly [outcome: number, nowMs: number, ...rest: unknown[]];

/** The same before it is read: a client with the option `stringNumbers` makes strings of all. */
export type RawReply = readonly unknown[];

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
