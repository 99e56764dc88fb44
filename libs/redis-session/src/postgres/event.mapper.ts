import { type RecordedEvent } from '../session/indexed/recorded-event.js';
import { PRINCIPAL_INDEX } from '../session/indexed/session-indexing.js';
import { textsByName } from './postgres-session.mapper.js';

/** @param row - the columns of `event-statements.ts` */
export function toRecordedEvent(row: readonly unknown[]): RecordedEvent {
  const [eventId, type, sessionId, previousId, reason, created, principal, others, texts, time] =
    row;
  const indexes = new Map(textsByName(others));
  if (typeof principal === 'string') indexes.set(PRINCIPAL_INDEX, principal);
  return {
    eventId: String(eventId),
    type: String(type),
    sessionId: String(sessionId),
    previousSessionId: typeof previousId === 'string' ? previousId : '',
    reason: typeof reason === 'string' ? reason : '',
    creationTime: Number(created),
    indexes,
    texts: new Map(textsByName(texts).map(([name, text]) => [name, fromBase64(text)])),
    occurredAt: new Date(Number(time)),
  };
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString();
}
