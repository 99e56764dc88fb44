import { type ObjectId } from 'mongodb';
import { type StoredSession } from '../../session/session-change.js';
import { type SessionTimes, expiryTimeMs } from '../../session/session-times.js';
import { SessionCorruptError } from '../../session/session.errors.js';
import { decodeField } from './field-names.js';

/** Texts by names, as `field-names.ts` writes them. */
export type TextFields = Readonly<Record<string, string>>;

/** What happened to a session, kept in its document until a replica tells it. */
export interface UntoldEvent {
  /** Of one session no two are the same. */
  readonly id: string;
  readonly type: string;
  /** '' = none */
  readonly previousSessionId: string;
  /** '' = none */
  readonly reason: string;
  readonly at: Date;
  /** Left out: as in the document. */
  readonly sessionId?: string;
  /** Left out: as in the document. */
  readonly indexes?: TextFields;
  /** Left out: as in the document. */
  readonly attributes?: TextFields;
}

/** One session, as MongoDB holds it. */
export interface SessionDocument {
  /** Stays when the session id changes. */
  readonly _id: ObjectId;
  readonly sessionId: string;
  readonly creationTime: Date;
  readonly lastAccessTime: Date;
  /** Seconds, negative = never. */
  readonly maxInactiveInterval: number;
  readonly expireAt: Date;
  readonly attributes?: TextFields;
  /** Values by the names of the indexes. */
  readonly indexes?: TextFields;
  /** Only of a session that was ended, and stays until that is told. `reason` is for its client; '' = none. */
  readonly end?: { readonly type: string; readonly reason: string };
  readonly untold?: readonly UntoldEvent[];
}

/** What is read of a session: beside the session what the indexes hold of it. */
export interface MongoSession extends StoredSession {
  /** Values by the names of the indexes. */
  readonly indexValues: ReadonlyMap<string, string>;
  /** Epoch ms, as it is stored. */
  readonly expiryTime: number;
}

/** The end of 9999: MongoDB's shell shows it as a date. */
const NEVER = new Date(253_402_300_799_999);

/** When a session ends, as `expireAt` holds it. */
export function expireAtOf(times: SessionTimes, absoluteTimeoutSeconds?: number): Date {
  const expiryMs = expiryTimeMs(times, absoluteTimeoutSeconds);
  return expiryMs < NEVER.getTime() ? new Date(expiryMs) : NEVER;
}

/** @throws SessionCorruptError when a field is missing or of another type */
export function toStored(document: SessionDocument): MongoSession {
  return {
    ...timesOf(document),
    attributes: textsOf(document.attributes),
    indexValues: textsOf(document.indexes),
    expiryTime: document.expireAt.getTime(),
  };
}

/** @throws SessionCorruptError */
export function timesOf({
  creationTime,
  lastAccessTime,
  maxInactiveInterval,
  expireAt,
}: SessionDocument): SessionTimes {
  const dates: readonly unknown[] = [creationTime, lastAccessTime, expireAt];
  if (!dates.every((date) => date instanceof Date) || typeof maxInactiveInterval !== 'number')
    throw corrupt('a time of it is missing or of another type');
  return {
    creationTime: creationTime.getTime(),
    lastAccessedTime: lastAccessTime.getTime(),
    maxInactiveInterval,
  };
}

/** Texts by names, as the session knows them. @throws SessionCorruptError */
export function textsOf(fields: TextFields = {}): Map<string, string> {
  const entries: [string, unknown][] = Object.entries(fields);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string'))
    throw corrupt('an attribute is no text');
  return new Map(entries.map(([field, text]) => [decodeField(field), text]));
}

function corrupt(problem: string): SessionCorruptError {
  return new SessionCorruptError(
    `Cannot read a session: ${problem}, so something else has written it. Delete the session; the client gets a new one.`,
  );
}
