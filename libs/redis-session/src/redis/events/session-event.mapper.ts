import { type SessionCodec } from '../../session/codec.js';
import { type SessionEvent, SessionEventType } from '../../session/session-event.js';
import { ATTRIBUTE_PREFIX } from '../sessions/hash-text.js';
import { entriesOf } from '../indexed/session-index.js';
import { PRINCIPAL_INDEX } from '../indexed/indexed-session.keys.js';

/** One entry of a stream as Redis gives it: its id, and fields and values in turn; null when it was deleted meanwhile. */
export type StreamEntry = readonly [id: string, fields: readonly string[] | null];

/**
 * An attribute that `codec` cannot decode is left out.
 *
 * @param partition - number of the partition: two of them may give the same entry id
 */
export function toSessionEvent(
  [entryId, fields]: StreamEntry,
  partition: number,
  codec: SessionCodec,
): SessionEvent | undefined {
  const values = new Map<string, string>();
  for (let i = 0; fields && i < fields.length; i += 2)
    values.set(fields[i] ?? '', fields[i + 1] ?? '');
  const type = Object.values(SessionEventType).find((name) => name === values.get('type'));
  const sessionId = values.get('sessionId');
  if (!type || !sessionId) return undefined;
  const indexes = new Map<string, string>();
  for (const [name, { value }] of entriesOf(fields ?? [])) indexes.set(name, value);
  return {
    eventId: `${partition}-${entryId}`,
    type,
    sessionId,
    previousSessionId: values.get('previousSessionId') || undefined,
    reason: values.get('reason') || undefined,
    principalName: indexes.get(PRINCIPAL_INDEX),
    indexes,
    attributes: attributesOf(values, codec),
    occurredAt: new Date(Number(entryId.split('-')[0])),
  };
}

function attributesOf(
  values: ReadonlyMap<string, string>,
  codec: SessionCodec,
): Map<string, unknown> {
  const attributes = new Map<string, unknown>();
  for (const [field, text] of values) {
    if (!field.startsWith(ATTRIBUTE_PREFIX)) continue;
    const name = field.slice(ATTRIBUTE_PREFIX.length);
    try {
      attributes.set(name, codec.decode(text, name));
    } catch {
      // Written by another version of the application: the event is worth more than this attribute.
    }
  }
  return attributes;
}
