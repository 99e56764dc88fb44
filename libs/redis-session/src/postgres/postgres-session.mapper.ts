import { quoted } from '../lib/logger.js';
import { type SessionChange, type StoredSession } from '../session/session-change.js';
import { PRINCIPAL_INDEX } from '../session/indexed/session-indexing.js';
import { SessionEncodingError } from '../session/session.errors.js';
import { type Row } from './postgres-client.js';

/** What is read of a session: beside the session what the indexes hold of it. */
export interface PostgresSession extends StoredSession {
  /** Values by the names of the indexes. */
  readonly indexValues: ReadonlyMap<string, string>;
  /** Epoch ms, as it is stored. */
  readonly expiryTime: number;
}

/** @returns undefined when there is no row */
export function toStored(row: Row | undefined): PostgresSession | undefined {
  if (!row) return undefined;
  const [, creationTime, lastAccessedTime, maxInactiveInterval, expiryTime, ...rest] = row;
  const [texts, principal, others] = rest;
  const indexValues = new Map(textsByName(others));
  if (typeof principal === 'string') indexValues.set(PRINCIPAL_INDEX, principal);
  return {
    creationTime: Number(creationTime),
    lastAccessedTime: Number(lastAccessedTime),
    maxInactiveInterval: Number(maxInactiveInterval),
    attributes: new Map(textsByName(texts)),
    indexValues,
    expiryTime: Number(expiryTime),
  };
}

/** @param json - text, whatever the application has told its driver to make of JSON; null = none */
export function textsByName(json: unknown): [string, string][] {
  return typeof json === 'string' ? Object.entries(JSON.parse(json) as Record<string, string>) : [];
}

/** What a save writes of the attributes, as JSON: text by name, null = remove. */
export function attributesToJson({ attributes }: SessionChange): string {
  const texts = [...attributes].map(([name, { text }]) => [
    name.toWellFormed(),
    text?.toWellFormed() ?? null,
  ]);
  return JSON.stringify(Object.fromEntries(texts));
}

/** @throws SessionEncodingError for what a text of PostgreSQL cannot hold */
export function refuseNul(name: string, value: string): void {
  if (!value.includes('\0')) return;
  throw new SessionEncodingError(
    `Cannot save the session: the value of the index ${quoted(name)} has a NUL character. Leave it out.`,
  );
}
