import { SessionStoreError } from './session.errors.js';
import { type SessionTimes } from './session-times.js';

/** What the repository holds of a session, as text. Times are epoch ms, the interval is seconds (-1 = never). */
export interface StoredSession extends SessionTimes {
  /** Encoded values by name. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** One attribute that a save writes. */
export interface AttributeChange {
  /** The new text; undefined removes the attribute. */
  readonly text: string | undefined;
  /** Only for `update`: the text that the change was computed from. The save is refused when it is no longer stored. */
  readonly basedOn?: { readonly text: string | undefined };
}

/** All that one save writes, in one atomic step. */
export interface SessionChange {
  /** The id under which the session is stored, or would be. */
  readonly storedId: string;
  /** The id under which it shall be stored; differs after `changeSessionId`. */
  readonly id: string;
  /** True: the session is created. False: it must exist, or nothing is written. */
  readonly isNew: boolean;
  /** Epoch ms. */
  readonly creationTime: number;
  /** Epoch ms. */
  readonly lastAccessedTime: number;
  /** Seconds; undefined = unchanged. */
  readonly maxInactiveInterval: number | undefined;
  /** Changed attributes by name. Others stay as they are. */
  readonly attributes: ReadonlyMap<string, AttributeChange>;
}

/** What became of a {@link SessionChange}. Only 'saved' has written anything. */
export type SaveOutcome =
  | {
      /** All of the change is stored. */
      readonly kind: 'saved';
    }
  | {
      /** No such session is stored. */
      readonly kind: 'missing';
    }
  | {
      /** An attribute under `update` was changed meanwhile. */
      readonly kind: 'conflict';
      /** The stored texts of all attributes under `update`. */
      readonly current: ReadonlyMap<string, string | undefined>;
    };

/**
 * Compares what the updates of `change` were computed from with what is stored.
 *
 * @param storedText - of an attribute
 * @returns undefined when both are the same. A half surrogate pair counts as U+FFFD, which some stores keep in its place
 */
export function conflictOf(
  { attributes }: SessionChange,
  storedText: (name: string) => string | undefined,
): SaveOutcome | undefined {
  const updates = [...attributes].filter(([, { basedOn }]) => basedOn);
  const current = new Map(updates.map(([name]) => [name, storedText(name)]));
  const isSame = updates.every(
    ([name, { basedOn }]) => current.get(name)?.toWellFormed() === basedOn?.text?.toWellFormed(),
  );
  return isSame ? undefined : { kind: 'conflict', current };
}

/** @throws SessionStoreError when `write` of a store returned something else: nobody knows what it has written */
export function knownOutcome(outcome: SaveOutcome): SaveOutcome {
  const { kind, current } = Object(outcome) as { kind?: string; current?: unknown };
  const isConflict = kind === 'conflict' && current instanceof Map;
  if (kind === 'saved' || kind === 'missing' || isConflict) return outcome;
  throw SessionStoreError.create('save the session', new Error('write returned no SaveOutcome'));
}
