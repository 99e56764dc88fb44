import { type SessionsAtRest } from '../../session/at-rest/sessions-at-rest.js';
import { type SessionCodec } from '../../session/attributes/codec.js';
import { type SessionEvent, SessionEventType } from '../../session/session-event.js';
import { ATTRIBUTE_PREFIX } from '../sessions/redis-session.mapper.js';
import { entriesOf, INDEX_VALUE_FIELD_PREFIX } from '../indexed/session-index.js';
import { attempt, decodedAttributes } from '../../session/indexed/recorded-event.js';
import { PRINCIPAL_INDEX } from '../../session/indexed/session-indexing.js';

/** One entry of a stream as Redis gives it: its id, and fields and values in turn; null when it was deleted meanwhile. */
export type StreamEntry = readonly [id: string, fields: readonly string[] | null];

/** What reads the texts of an event. */
export interface EventReaders {
  readonly atRest?: SessionsAtRest;
  readonly codec: SessionCodec;
}

/**
 * An attribute that cannot be decrypted or decoded is left out.
 *
 * @param partition - number of the partition: two of them may give the same entry id
 */
export function toSessionEvent(
  [entryId, fields]: StreamEntry,
  partition: number,
  { atRest, codec }: EventReaders,
): SessionEvent | undefined {
  const values = new Map<string, string>();
  for (let i = 0; fields && i < fields.length; i += 2)
    values.set(fields[i] ?? '', fields[i + 1] ?? '');
  const type = Object.values(SessionEventType).find((name) => name === values.get('type'));
  const sessionId = values.get('sessionId');
  if (!type || !sessionId) return undefined;
  const texts = attributeTextsOf(values);
  const sealed = attempt(() =>
    atRest?.openTexts(sessionId, Number(values.get('creationTime')), texts),
  );
  const indexes = new Map<string, string>();
  for (const [name, entry] of entriesOf(fields ?? [])) {
    const text = values.get(INDEX_VALUE_FIELD_PREFIX + name);
    const value =
      text === undefined
        ? entry.value
        : sealed && attempt(() => atRest?.openIndexValue(sealed, name, text));
    if (value !== undefined) indexes.set(name, value);
  }
  return {
    eventId: `${partition}-${entryId}`,
    type,
    sessionId,
    previousSessionId: values.get('previousSessionId') || undefined,
    reason: values.get('reason') || undefined,
    principalName: indexes.get(PRINCIPAL_INDEX),
    indexes,
    attributes: decodedAttributes(atRest?.isSealing ? sealed : texts, codec),
    occurredAt: new Date(Number(entryId.split('-')[0])),
  };
}

function attributeTextsOf(values: ReadonlyMap<string, string>): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [field, text] of values)
    if (field.startsWith(ATTRIBUTE_PREFIX)) texts.set(field.slice(ATTRIBUTE_PREFIX.length), text);
  return texts;
}
