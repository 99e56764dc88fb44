import { type UpdateFilter } from 'mongodb';
import { type SessionChange } from '../../session/session-change.js';
import { type SessionTimes } from '../../session/session-times.js';
import { fieldsIn } from './field-names.js';
import { type SessionDocument, type UntoldEvent, expireAtOf } from './session-document.js';

/** What a session matches that nobody has ended. */
export const NOT_ENDED = { end: { $exists: false } };

/** What a save writes beside the session. */
export interface AlsoWritten {
  readonly $set?: Readonly<Record<string, unknown>>;
  readonly $unset?: Readonly<Record<string, ''>>;
  /** What is told of the session, when it is stored for the first time or moves to its new id by this save. */
  readonly event?: UntoldEvent | undefined;
}

/** @param times - as they are supposed to be stored: the filter makes sure */
export function updateFrom(
  times: SessionTimes,
  change: SessionChange,
  also: AlsoWritten,
  absoluteTimeoutSeconds: number | undefined,
) {
  const { id, maxInactiveInterval } = change;
  const lastAccessedTime = Math.max(times.lastAccessedTime, change.lastAccessedTime);
  const lastAccessTime = new Date(lastAccessedTime);
  const wanted = fieldsIn(
    'attributes',
    [...change.attributes].flatMap(([name, { basedOn }]) =>
      basedOn ? [[name, basedOn.text?.toWellFormed() ?? { $exists: false }] as const] : [],
    ),
  );
  const idField = { sessionId: id };
  if (maxInactiveInterval === undefined) {
    const expireAt = expireAtOf({ ...times, lastAccessedTime }, absoluteTimeoutSeconds);
    const update = { ...updateOf(change, also, idField), $max: { lastAccessTime, expireAt } };
    return { filter: { ...wanted, maxInactiveInterval: times.maxInactiveInterval }, update };
  }
  const expireAt = expireAtOf(
    { ...times, lastAccessedTime, maxInactiveInterval },
    absoluteTimeoutSeconds,
  );
  const fields = { ...idField, lastAccessTime, maxInactiveInterval, expireAt };
  const filter = { ...wanted, lastAccessTime: { $lte: lastAccessTime } };
  return { filter, update: updateOf(change, also, fields) };
}

/** What a save writes. An empty operator would be an error. */
export function updateOf(
  { attributes }: SessionChange,
  also: AlsoWritten,
  fields: Readonly<Record<string, unknown>>,
): UpdateFilter<SessionDocument> {
  const written = [...attributes].flatMap(([name, { text }]) =>
    text === undefined ? [] : [[name, text.toWellFormed()] as const],
  );
  const removed = [...attributes].flatMap(([name, { text }]) =>
    text === undefined ? [[name, '' as const] as const] : [],
  );
  const $set = { ...fields, ...fieldsIn('attributes', written), ...also.$set };
  const $unset = { ...fieldsIn('attributes', removed), ...also.$unset };
  return Object.keys($unset).length > 0 ? { $set, $unset } : { $set };
}

/** What a save must know that was refused. */
export function projectionOf({ attributes }: SessionChange): Record<string, 1> {
  const updated = [...attributes].flatMap(([name, { basedOn }]) =>
    basedOn ? [[name, 1] as const] : [],
  );
  return {
    ...{ sessionId: 1, creationTime: 1, lastAccessTime: 1, maxInactiveInterval: 1, expireAt: 1 },
    ...fieldsIn('attributes', updated),
  };
}

/** What a save writes of the indexes. @param changed - undefined = the session leaves the index */
export function indexUpdates(
  changed: ReadonlyMap<string, string | undefined>,
): Pick<AlsoWritten, '$set' | '$unset'> {
  const entries = [...changed];
  const removed = entries.filter(([, value]) => value === undefined);
  return {
    $set: fieldsIn(
      'indexes',
      entries.filter(([, value]) => value !== undefined),
    ),
    $unset: fieldsIn(
      'indexes',
      removed.map(([name]) => [name, ''] as const),
    ),
  };
}
