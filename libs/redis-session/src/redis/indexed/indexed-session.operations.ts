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

/** What became of a session; `fields` are those of its hash that tell where else it is noted, names and values in turn. */
export type EndSessionOutcome =
  | { readonly kind: 'ended'; readonly fields: readonly string[] }
  | { readonly kind: 'alive'; readonly expiry: string; readonly fields: readonly string[] }
  | { readonly kind: 'none' };

/** What all scripts of one repository are told. Times are ms, -1 = none. */
export interface IndexedCommandOptions {
  readonly absoluteTimeoutMs: number;
  readonly commandTimeoutMs: number;
  /** Names of the attributes that events carry. */
  readonly eventAttributes: 'all' | readonly string[];
  /** About how many events one partition holds at most; 0 = none. */
  readonly maxEventsPerPartition: number;
  /** Whether expirations are kept in the sorted set. */
  readonly hasExpirations: boolean;
  /** Ms after which an index entry is written again although nobody has looked after the expirations. */
  readonly indexDelayMs: number;
  /** Names of all indexes. */
  readonly indexNames: readonly string[];
  /** Ms that the mark of a session which somebody else has ended lives. */
  readonly reasonLifeMs: number;
  /** Ms that the hash outlives the session. */
  readonly retentionMs: number;
  /** Whether one command may read or save several sessions. */
  readonly sharedCommands: boolean;
  readonly touchIntervalMs: number;
}
