import { type HashChange } from '../sessions/redis-session.mapper.js';

/** One save. */
export interface SaveIndexedInput {
  readonly storedId: string;
  readonly id: string;
  readonly hash: HashChange;
  /** Names of the indexes whose entries change, and the texts that their fields must hold; '*' = any, '' = none. */
  readonly indexes: ReadonlyMap<string, string>;
  /** Whether Redis knows of the access already, so that the save need not record it. */
  readonly isAccessRecorded: boolean;
}

/** What became of a save; `earlier` = texts of the index fields that change, '' = none. */
export type SaveIndexedOutcome =
  | { readonly kind: 'saved'; readonly earlier: readonly string[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'conflict'; readonly current: ReadonlyMap<string, string | undefined> }
  /** An index field does not hold what it must. */
  | { readonly kind: 'index-conflict'; readonly earlier: readonly string[] };

/** Which session to end. */
export interface EndSessionInput {
  readonly id: string;
  /** 'expired': only when its time has come. */
  readonly kind: 'deleted' | 'expired';
  /** Epoch ms; undefined = what the clock of Redis shows. */
  readonly nowMs?: number;
  /** For its client; '' = none. */
  readonly reason?: string;
  /** Whether the hash stays until its time to live ends, for other readers of it. */
  readonly isKept?: boolean;
}

/** What became of a session; `fields` are those of its hash that are no attributes, names and values in turn. */
export type EndSessionOutcome =
  | { readonly kind: 'ended'; readonly fields: readonly string[] }
  | { readonly kind: 'alive'; readonly expiry: string; readonly fields: readonly string[] }
  | { readonly kind: 'none' };
