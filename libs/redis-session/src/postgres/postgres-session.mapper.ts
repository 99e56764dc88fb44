import { type SessionChange, type StoredSession } from '../session/session-change.js';
import { type Rows } from './postgres-client.js';

/** What is read of a session: beside the session what the indexes hold of it. */
export interface PostgresSession extends StoredSession {
  /** Values by the names of the indexes. */
  readonly indexValues: ReadonlyMap<string, string>;
  /** Epoch ms, as it is stored. */
  readonly expiryTime: number;
}

/** Name of the index of the user. */
export const PRINCIPAL_INDEX = 'principal';

/** @param rows - one for each attribute, with the columns of the session first. @returns undefined when there are none */
export function toStored(rows: Rows): PostgresSession | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const [creationTime, lastAccessedTime, maxInactiveInterval, expiryTime, , , principal, others] =
    first;
  const attributes = new Map<string, string>();
  for (const [, , , , name, text] of rows)
    if (typeof name === 'string' && typeof text === 'string') attributes.set(name, text);
  const indexValues = new Map(Object.entries((others ?? {}) as Record<string, string>));
  if (typeof principal === 'string') indexValues.set(PRINCIPAL_INDEX, principal);
  return {
    creationTime: Number(creationTime),
    lastAccessedTime: Number(lastAccessedTime),
    maxInactiveInterval: Number(maxInactiveInterval),
    attributes,
    indexValues,
    expiryTime: Number(expiryTime),
  };
}

/** What a save writes of the attributes, as JSON: text by name, null = remove. */
export function attributesToJson({ attributes }: SessionChange): string {
  const texts = [...attributes].map(([name, { text }]) => [
    name.toWellFormed(),
    text?.toWellFormed() ?? null,
  ]);
  return JSON.stringify(Object.fromEntries(texts));
}
