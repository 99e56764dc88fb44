import { randomUUID } from 'node:crypto';
import { type Collection } from 'mongodb';
import {
  type EventReaders,
  eventOfSave,
  toSessionEvent,
} from '../../session/indexed/recorded-event.js';
import { type SessionChange } from '../../session/session-change.js';
import { type SessionEvent } from '../../session/session-event.js';
import { type NextCommand, isDuplicate } from '../deadline-runner.js';
import { decodeField, encodeField } from '../sessions/field-names.js';
import { type EventDocument, type SessionCollections } from '../session-collections.js';
import {
  type SessionDocument,
  type TextFields,
  type UntoldEvent,
  textsOf,
} from '../sessions/session-document.js';

/** How many sessions are looked at together. */
const BATCH_SIZE = 100;

/**
 * Copies what happened to sessions from their documents to the collection of the events. An event is part of the session
 * until it is there, so none is lost; one that is copied twice has the same id, so none is told twice.
 */
export class ToldEvents {
  /** @param names - of the attributes that events carry; null = all */
  constructor(
    private readonly collections: Pick<SessionCollections, 'sessions' | 'events'>,
    private readonly names: readonly string[] | null,
  ) {}

  async tellAll(next: NextCommand): Promise<void> {
    const { events, sessions } = this.collections;
    for (;;) {
      const documents = await sessions
        .find({ 'untold.id': { $gt: '' } }, { ...next(), limit: BATCH_SIZE })
        .toArray();
      if (documents.length === 0) return;
      await insertNew(
        events,
        documents.flatMap((document) => this.eventsOf(document)),
        next,
      );
      await this.forget(documents, next);
      if (documents.length < BATCH_SIZE) return;
    }
  }

  /** The texts that events carry. */
  private carried(texts: TextFields = {}): TextFields {
    const { names } = this;
    if (names === null) return texts;
    return Object.fromEntries(
      Object.entries(texts).filter(([field]) => names.includes(decodeField(field))),
    );
  }

  /**
   * What a save tells.
   *
   * @param indexValues - after the save
   * @returns undefined when the session is there already and keeps its id
   */
  eventOfSave(
    change: SessionChange,
    indexValues: ReadonlyMap<string, string>,
  ): UntoldEvent | undefined {
    const { isNew, id, storedId, attributes } = change;
    const type = eventOfSave(change);
    if (!type) return undefined;
    const texts = [...attributes].flatMap(([name, { text }]) =>
      text === undefined ? [] : [[encodeField(name), text.toWellFormed()] as const],
    );
    const indexes = [...indexValues].map(([name, value]) => [encodeField(name), value] as const);
    return {
      id: randomUUID(),
      type,
      sessionId: id,
      previousSessionId: isNew ? '' : storedId,
      reason: '',
      at: new Date(),
      indexes: Object.fromEntries(indexes),
      // Of a session that is there already, a save does not know all attributes.
      ...(isNew ? { attributes: this.carried(Object.fromEntries(texts)) } : {}),
    };
  }

  private eventsOf(document: SessionDocument): EventDocument[] {
    const { _id, creationTime, untold = [] } = document;
    return untold.map(({ id, ...event }: UntoldEvent, place) => ({
      sessionId: document.sessionId,
      indexes: document.indexes ?? {},
      ...event,
      _id: `${_id.toHexString()}-${id}`,
      attributes: this.carried(event.attributes ?? document.attributes),
      creationTime,
      place,
      takenUntil: new Date(0),
      takenBy: '',
      deliveries: 0,
      isHandled: false,
      seenBy: [],
    }));
  }

  /** A session that has ended leaves why it has, if its client is to know. */
  private async forget(documents: readonly SessionDocument[], next: NextCommand): Promise<void> {
    await this.collections.sessions.bulkWrite(
      documents.map(({ _id, end, untold = [] }) => {
        const filter = { _id };
        if (end?.reason === '') return { deleteOne: { filter } };
        const told = { $pullAll: { untold: [...untold] } };
        const update = end
          ? { ...told, $unset: { attributes: '' as const, indexes: '' as const } }
          : told;
        return { updateOne: { filter, update } };
      }),
      { ...next(), ordered: false },
    );
  }
}

/** The event that handlers are given. */
export function eventOf(document: EventDocument, readers: EventReaders): SessionEvent {
  const { _id, creationTime, indexes, attributes, at, ...rest } = document;
  const recorded = {
    ...rest,
    eventId: _id,
    creationTime: creationTime.getTime(),
    indexes: textsOf(indexes),
    texts: textsOf(attributes),
    occurredAt: at,
  };
  return toSessionEvent(recorded, readers);
}

async function insertNew(
  events: Collection<EventDocument>,
  documents: readonly EventDocument[],
  next: NextCommand,
): Promise<void> {
  try {
    await events.insertMany([...documents], { ...next(), ordered: false });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
}
