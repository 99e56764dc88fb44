import { type SessionsAtRest } from '../at-rest/sessions-at-rest.js';
import { type AttributeLookup } from '../attributes/attributes.js';
import { type SessionCodec } from '../attributes/codec.js';
import { type SessionChange } from '../session-change.js';
import { type SessionEvent, type SessionEventType } from '../session-event.js';
import { storageIdOf } from '../session-id.js';
import { type SessionIndexOptions, type SessionIndexResolver } from '../session-store.js';
import { PRINCIPAL_INDEX, resolversOf } from './session-indexing.js';

/** An event as a store holds it. */
export interface RecordedEvent {
  readonly eventId: string;
  readonly type: string;
  readonly sessionId: string;
  /** '' = none */
  readonly previousSessionId: string;
  /** '' = none */
  readonly reason: string;
  /** Epoch ms, of the session. */
  readonly creationTime: number;
  /** What stands for the values of the indexes, by their names. */
  readonly indexes: ReadonlyMap<string, string>;
  /** Of the attributes that events carry; of all when they are encrypted. */
  readonly texts: ReadonlyMap<string, string>;
  readonly occurredAt: Date;
}

/** What reads the texts of an event. */
export interface EventReaders {
  readonly atRest: SessionsAtRest;
  readonly codec: SessionCodec;
  /** Names of the attributes that events carry. */
  readonly eventAttributes: 'all' | readonly string[];
  readonly resolvers: Readonly<Record<string, SessionIndexResolver>>;
}

/** What reads the texts of the events of a repository with these options. */
export function eventReadersOf(
  { codec, indexed }: { readonly codec: SessionCodec; readonly indexed: SessionIndexOptions },
  atRest: SessionsAtRest,
): EventReaders {
  const { eventAttributes } = indexed;
  return { atRest, codec, eventAttributes, resolvers: resolversOf(indexed) };
}

/** What a save tells, if it is an event. A session that gets its hashed id keeps the id that its client has. */
export function eventOfSave({
  isNew,
  id,
  storedId,
}: SessionChange): 'created' | 'id-changed' | undefined {
  if (isNew) return 'created';
  return storedId !== id && storageIdOf(storedId) !== id ? 'id-changed' : undefined;
}

/** An attribute that cannot be decrypted or decoded is left out. */
export function toSessionEvent(recorded: RecordedEvent, readers: EventReaders): SessionEvent {
  const { eventAttributes } = readers;
  const all = attributesOf(recorded, readers);
  const indexes = readers.atRest.isSealing
    ? indexesOf(all, recorded.creationTime, readers)
    : recorded.indexes;
  const attributes =
    eventAttributes === 'all'
      ? all
      : new Map([...all].filter(([name]) => eventAttributes.includes(name)));
  return {
    eventId: recorded.eventId,
    type: recorded.type as SessionEventType,
    sessionId: recorded.sessionId,
    previousSessionId: recorded.previousSessionId || undefined,
    reason: recorded.reason || undefined,
    principalName: indexes.get(PRINCIPAL_INDEX),
    indexes,
    attributes,
    occurredAt: recorded.occurredAt,
  };
}

function attributesOf(
  { sessionId, creationTime, texts }: RecordedEvent,
  { atRest, codec }: EventReaders,
): Map<string, unknown> {
  const opened = atRest.isSealing
    ? attempt(() => atRest.openTexts(sessionId, creationTime, texts))
    : texts;
  return decodedAttributes(opened, codec);
}

/** The values of the attributes of an event. One that cannot be decrypted or decoded is left out. */
export function decodedAttributes(
  texts: AttributeLookup | undefined,
  codec: SessionCodec,
): Map<string, unknown> {
  const attributes = new Map<string, unknown>();
  for (const name of texts?.keys() ?? []) {
    const value = attempt(() => {
      const text = texts?.get(name);
      return text === undefined ? undefined : codec.decode(text, name);
    });
    if (value !== undefined) attributes.set(name, value);
  }
  return attributes;
}

/** The store holds only what stands for the values. */
function indexesOf(
  attributes: ReadonlyMap<string, unknown>,
  creationTime: number,
  { resolvers }: EventReaders,
): Map<string, string> {
  const view = {
    creationTime: new Date(creationTime),
    getAttribute: <T>(name: string) => attributes.get(name) as T | undefined,
  };
  const values = new Map<string, string>();
  for (const [name, resolve] of Object.entries(resolvers)) {
    const value = attempt(() => resolve(view));
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** A part of an event that another version of the application has written, or nobody: the event is worth more than this. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
