import { type SessionsAtRest } from '../session/at-rest/sessions-at-rest.js';
import { type AttributeLookup } from '../session/attributes/attributes.js';
import { type SessionCodec } from '../session/attributes/codec.js';
import { type SessionEvent, type SessionEventType } from '../session/session-event.js';
import { type SessionIndexResolver } from '../session/session-view.js';
import { PRINCIPAL_INDEX, textsByName } from './postgres-session.mapper.js';

/** What reads the texts of an event. */
export interface EventReaders {
  readonly atRest: SessionsAtRest;
  readonly codec: SessionCodec;
  /** Names of the attributes that events carry. */
  readonly eventAttributes: 'all' | readonly string[];
  readonly resolvers: Readonly<Record<string, SessionIndexResolver>>;
}

/** An attribute that cannot be decrypted or decoded is left out. @param row - the columns of `event-statements.ts` */
export function toSessionEvent(row: readonly unknown[], readers: EventReaders): SessionEvent {
  const [eventId, type, sessionId, previousId, reason, created, principal, others, texts, time] =
    row;
  const { eventAttributes } = readers;
  const all = attributesOf(String(sessionId), Number(created), texts, readers);
  const indexes = readers.atRest.isSealing
    ? indexesOf(all, Number(created), readers)
    : new Map(textsByName(others));
  if (!readers.atRest.isSealing && typeof principal === 'string')
    indexes.set(PRINCIPAL_INDEX, principal);
  const attributes =
    eventAttributes === 'all'
      ? all
      : new Map([...all].filter(([name]) => eventAttributes.includes(name)));
  return {
    eventId: String(eventId),
    type: type as SessionEventType,
    sessionId: String(sessionId),
    previousSessionId: typeof previousId === 'string' ? previousId : undefined,
    reason: typeof reason === 'string' ? reason : undefined,
    principalName: indexes.get(PRINCIPAL_INDEX),
    indexes,
    attributes,
    occurredAt: new Date(Number(time)),
  };
}

function attributesOf(
  sessionId: string,
  creationTime: number,
  base64: unknown,
  { atRest, codec }: EventReaders,
): Map<string, unknown> {
  const texts = new Map(
    textsByName(base64).map(([name, text]) => [name, Buffer.from(text, 'base64').toString()]),
  );
  const opened: AttributeLookup | undefined = atRest.isSealing
    ? attempt(() => atRest.openTexts(sessionId, creationTime, texts))
    : texts;
  const attributes = new Map<string, unknown>();
  for (const name of opened?.keys() ?? []) {
    const value = attempt(() => {
      const text = opened?.get(name);
      return text === undefined ? undefined : codec.decode(text, name);
    });
    if (value !== undefined) attributes.set(name, value);
  }
  return attributes;
}

/** The table holds only what stands for the values. */
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

/** Written by another version of the application, or by nobody: the event is worth more than this. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
