import { type SessionChange, type StoredSession } from '../session/session-change.js';
import { SessionCorruptError } from '../session/session.errors.js';

/** Epoch ms, decimal. */
const CREATION_TIME = 'creationTime';
/** Epoch ms, decimal. Written by the scripts. */
const LAST_ACCESSED_TIME = 'lastAccessedTime';
/** Seconds, decimal; -1 = never. */
const MAX_INACTIVE_INTERVAL = 'maxInactiveInterval';
/** Followed by the attribute's name; the value is what the codec made of it. */
const ATTRIBUTE_PREFIX = 'sessionAttr:';

/** The fields of a hash that a save sets, deletes and updates. */
export interface HashChange {
  readonly set: readonly string[];
  readonly remove: readonly string[];
  /** name, '1' or '0', text for each update: what it was computed from, '0' = absent */
  readonly updates: readonly string[];
}

/**
 * @param reply - fields and values in turn
 * @returns undefined when the hash is empty
 * @throws SessionCorruptError when a time is missing or no number
 */
export function fromHash(reply: readonly string[]): StoredSession | undefined {
  if (reply.length === 0) return undefined;
  const times = new Map<string, string>();
  const attributes = new Map<string, string>();
  for (let i = 0; i < reply.length; i += 2) {
    const field = reply[i] ?? '';
    const value = reply[i + 1] ?? '';
    if (field.startsWith(ATTRIBUTE_PREFIX))
      attributes.set(field.slice(ATTRIBUTE_PREFIX.length), value);
    else times.set(field, value);
  }
  return {
    creationTime: toNumber(times, CREATION_TIME),
    lastAccessedTime: toNumber(times, LAST_ACCESSED_TIME),
    maxInactiveInterval: toNumber(times, MAX_INACTIVE_INTERVAL),
    attributes,
  };
}

/** The fields that `change` writes; `lastAccessedTime` is not among them, because the script decides on it. */
export function toHash(change: SessionChange): HashChange {
  const set: string[] = [];
  const remove: string[] = [];
  const updates: string[] = [];
  if (change.isNew) set.push(CREATION_TIME, String(change.creationTime));
  if (change.maxInactiveInterval !== undefined) {
    set.push(MAX_INACTIVE_INTERVAL, String(change.maxInactiveInterval));
  }
  for (const [name, { text, basedOn }] of change.attributes) {
    const field = ATTRIBUTE_PREFIX + name;
    if (text === undefined) remove.push(field);
    else set.push(field, text);
    if (basedOn) updates.push(field, basedOn.text === undefined ? '0' : '1', basedOn.text ?? '');
  }
  return { set, remove, updates };
}

/** The attributes under update as they are stored. @param reply - name, '1' or '0', text for each */
export function fromConflict(reply: readonly string[]): Map<string, string | undefined> {
  const current = new Map<string, string | undefined>();
  for (let i = 0; i < reply.length; i += 3) {
    const name = (reply[i] ?? '').slice(ATTRIBUTE_PREFIX.length);
    current.set(name, reply[i + 1] === '1' ? reply[i + 2] : undefined);
  }
  return current;
}

function toNumber(times: ReadonlyMap<string, string>, field: string): number {
  const value = Number(times.get(field) ?? NaN);
  if (Math.abs(value) <= 1e15) return value;
  throw new SessionCorruptError(
    `Cannot read a session: its field "${field}" is missing or not a number. Delete the key; the client gets a new session.`,
  );
}
