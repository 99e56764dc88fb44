import { type Collection, type CollectionOptions, type Db, type Document } from 'mongodb';
import { encodeField } from './sessions/field-names.js';
import { type SessionDocument, type TextFields } from './sessions/session-document.js';

/** Something that happened to a session, as replicas read it. */
export interface EventDocument {
  /** The same however often the event is told. */
  readonly _id: string;
  readonly type: string;
  readonly sessionId: string;
  readonly previousSessionId: string;
  readonly reason: string;
  /** Of the session. */
  readonly creationTime: Date;
  readonly indexes?: TextFields;
  readonly attributes?: TextFields;
  readonly at: Date;
  /** Among the events of the same session that were told together. */
  readonly place: number;
  /** `'once'`: a replica handles it until then. */
  readonly takenUntil: Date;
  /** `'once'`: names the take. */
  readonly takenBy: string;
  readonly deliveries: number;
  readonly isHandled: boolean;
  /** `'broadcast'`: the replicas that have handled it. */
  readonly seenBy: readonly string[];
}

/** Whoever holds it logs a user in, and nobody else does so meanwhile. */
export interface LoginLock {
  readonly _id: string;
  readonly owner: string;
  readonly until: Date;
}

/** A replica that has read events under this name. */
export interface ReplicaDocument {
  readonly _id: string;
  readonly at: Date;
}

/** The collections of one store. */
export interface SessionCollections {
  readonly sessions: Collection<SessionDocument>;
  readonly events: Collection<EventDocument>;
  readonly locks: Collection<LoginLock>;
  readonly replicas: Collection<ReplicaDocument>;
}

/** Seconds after the end of a session at which the server drops it, if no worker has done so. */
const DROP_AFTER_SECONDS = 7 * 86_400;

/** Whatever the application has told its driver: sessions are read where they are written, and in the usual types. */
const OPTIONS: CollectionOptions = {
  ignoreUndefined: true,
  promoteLongs: true,
  promoteValues: true,
  raw: false,
  readPreference: 'primary',
  useBigInt64: false,
  writeConcern: { w: 'majority' },
};

/** @param name - of the collection of the sessions; those of the others begin with it */
export function sessionCollections(db: Db, name: string): SessionCollections {
  const named = <T extends Document>(suffix: string) =>
    db.collection<T>(`${name}${suffix}`, OPTIONS);
  return {
    sessions: named(''),
    events: named('_events'),
    locks: named('_locks'),
    replicas: named('_replicas'),
  };
}

/**
 * Creates the indexes that do not exist.
 *
 * @param indexNames - of the indexes of an indexed repository; undefined = there are none
 */
export async function createIndexes(
  { sessions, events }: SessionCollections,
  indexNames: readonly string[] | undefined,
): Promise<void> {
  await sessions.createIndex({ sessionId: 1 }, { unique: true }, {});
  // Not every server that speaks the protocol drops documents by itself. Then only the workers do.
  const expireAfterSeconds = DROP_AFTER_SECONDS;
  await sessions
    .createIndex({ expireAt: 1 }, { expireAfterSeconds }, {})
    .catch(() => sessions.createIndex({ expireAt: 1 }));
  if (!indexNames) return;
  for (const name of indexNames)
    await sessions.createIndex({ [`indexes.${encodeField(name)}`]: 1 });
  await sessions.createIndex({ 'untold.id': 1 });
  await events.createIndex({ at: 1, place: 1 });
  await events.createIndex({ isHandled: 1, takenUntil: 1 });
}
