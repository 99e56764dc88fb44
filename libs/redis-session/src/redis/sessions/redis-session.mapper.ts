import { type SessionChange, type StoredSession } from '../../session/session-change.js';
import { expiryTimeMs } from '../../session/session-times.js';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { STABLE_PREFIX_LENGTH } from '../../session/session-id.js';
import { SessionCorruptError } from '../../session/session.errors.js';
import { type HashFields, LEAST_KNOWN_BYTES } from './hash-fields.js';

/** Epoch ms, decimal. */
const CREATION_TIME = 'creationTime';
/** Epoch ms, decimal. Written by the scripts. */
const LAST_ACCESSED_TIME = 'lastAccessedTime';
/** Seconds, decimal; -1 = never. */
const MAX_INACTIVE_INTERVAL = 'maxInactiveInterval';

/** What the names of attributes are preceded by in a hash. */
export const ATTRIBUTE_PREFIX = 'sessionAttr:';

/** What a save makes of a hash. Times are epoch ms, decimal; the interval is seconds, decimal. */
export interface HashChange {
  /** '' = the hash must exist */
  readonly creationTime: string;
  readonly lastAccessedTime: string;
  /** '' = unchanged */
  readonly maxInactiveInterval: string;
  readonly set: readonly string[];
  readonly remove: readonly string[];
  /** name, '1' or '0', text for each update: what it was computed from, '0' = absent */
  readonly updates: readonly string[];
}

/**
 * @returns undefined when the hash is empty
 * @throws SessionCorruptError when a time is missing or no whole number
 */
export function fromHash(hash: HashFields): StoredSession | undefined {
  if (hash.size === 0) return undefined;
  return {
    creationTime: toInteger(hash, CREATION_TIME),
    lastAccessedTime: toInteger(hash, LAST_ACCESSED_TIME),
    maxInactiveInterval: toInteger(hash, MAX_INACTIVE_INTERVAL),
    attributes: new AttributeTexts(hash),
  };
}

/** The fields that `change` writes. */
export function toHash(change: SessionChange): HashChange {
  const set: string[] = [];
  const remove: string[] = [];
  const updates: string[] = [];
  for (const [name, { text, basedOn }] of change.attributes) {
    const field = ATTRIBUTE_PREFIX + name;
    if (text === undefined) remove.push(field);
    else set.push(field, text);
    if (basedOn) updates.push(field, basedOn.text === undefined ? '0' : '1', basedOn.text ?? '');
  }
  return {
    creationTime: change.isNew ? String(change.creationTime) : '',
    lastAccessedTime: String(change.lastAccessedTime),
    maxInactiveInterval: String(change.maxInactiveInterval ?? ''),
    set,
    remove,
    updates,
  };
}

/** Most names and values that one call of Lua is told: it takes no more than about 8,000. */
const MAX_VALUES_PER_CALL = 2000;

/** Whether a save sets no more fields than one call of Lua takes, and does nothing else with attributes. */
export function setsFewFields({ set, remove, updates }: HashChange): boolean {
  return remove.length === 0 && updates.length === 0 && set.length <= MAX_VALUES_PER_CALL;
}

/** Whether a save changes nothing of a stored session but few attributes, its access left out. */
export function setsAttributesAlone(hash: HashChange): boolean {
  const keepsTimes = hash.creationTime === '' && hash.maxInactiveInterval === '';
  return keepsTimes && hash.set.length > 0 && setsFewFields(hash);
}

const SECURITY_CONTEXT_FIELD = ATTRIBUTE_PREFIX + SECURITY_CONTEXT_ATTRIBUTE;

/** Whether a save makes or changes a login: a new session counts, since most hold one. */
export function changesLogin({ creationTime, set, remove }: HashChange): boolean {
  if (creationTime !== '' || remove.includes(SECURITY_CONTEXT_FIELD)) return true;
  return set.some((text, i) => i % 2 === 0 && text === SECURITY_CONTEXT_FIELD);
}

/** Whether a save sets so much that the session is sent once, with a version, when it is read next. */
export function setsLargeTexts({ set }: HashChange): boolean {
  return set.reduce((length, text) => length + text.length, 0) >= LEAST_KNOWN_BYTES;
}

/** The fields of a new session that are no attributes, names and values in turn. */
export function timesOf(hash: HashChange): string[] {
  return [
    ...[CREATION_TIME, hash.creationTime, LAST_ACCESSED_TIME, hash.lastAccessedTime],
    ...[MAX_INACTIVE_INTERVAL, hash.maxInactiveInterval],
  ];
}

/** Epoch ms at which a new session ends, '' = never. @param absoluteTimeoutMs - -1 = none */
export function expiryOf(hash: HashChange, absoluteTimeoutMs: number): number | '' {
  const times = {
    creationTime: Number(hash.creationTime),
    lastAccessedTime: Number(hash.lastAccessedTime),
    maxInactiveInterval: Number(hash.maxInactiveInterval),
  };
  const expiryMs = expiryTimeMs(
    times,
    absoluteTimeoutMs < 0 ? undefined : absoluteTimeoutMs / 1000,
  );
  return expiryMs === Infinity ? '' : expiryMs;
}

/**
 * What a hash holds after `change` that it did not hold before, the last access left out; undefined = nothing any more.
 * As it comes back: half a surrogate pair does not survive UTF-8.
 */
export function changedFields(change: HashChange): Map<string, string | undefined> {
  const { maxInactiveInterval } = change;
  const set = change.set.map((text) => text.toWellFormed());
  const fields = new Map<string, string | undefined>();
  for (const field of change.remove) fields.set(field.toWellFormed(), undefined);
  for (let i = 0; i < set.length; i += 2) fields.set(set[i] ?? '', set[i + 1]);
  if (maxInactiveInterval !== '') fields.set(MAX_INACTIVE_INTERVAL, maxInactiveInterval);
  return fields;
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

function toInteger(hash: HashFields, field: string): number {
  const text = hash.get(field) ?? '';
  // No 'nan', 'inf', '1e999', '0x10', '': the scripts know the same rule.
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new SessionCorruptError(
    `Cannot read a session: its field "${field}" is missing or not a whole number. Delete the key; the client gets a new session.`,
  );
}

/** The name of every key in Redis, for one namespace. The part in braces is the Redis Cluster hash tag of a session. */
export interface RedisSessionKeys {
  /** `nest:session:sessions:{4fQz81Lw}r0Y…` — hash */
  session(id: string): string;
  /** `nest:session:sessions:` — start of the keys of all sessions */
  readonly sessionPrefix: string;
  /** `nest:session:saves:{4fQz81Lw}<save id>` — string, lives until ten seconds after the save would be too late; in the slot of the session */
  save(sessionId: string, saveId: string): string;
}

/** @param namespace - prefix of all keys, such as `nest:session` */
export function redisSessionKeys(namespace: string): RedisSessionKeys {
  const tag = (id: string) => `{${id.slice(0, STABLE_PREFIX_LENGTH)}}`;
  const sessionPrefix = `${namespace}:sessions:`;
  return {
    sessionPrefix,
    session: (id) => `${sessionPrefix}${tag(id)}${id.slice(STABLE_PREFIX_LENGTH)}`,
    save: (id, saveId) => `${namespace}:saves:${tag(id)}${saveId}`,
  };
}

/** The attributes among the fields of a hash, looked up when somebody asks for them. */
export class AttributeTexts implements ReadonlyMap<string, string> {
  private map: ReadonlyMap<string, string> | undefined;

  constructor(private readonly hash: HashFields) {}

  get size(): number {
    return this.all.size;
  }

  get(name: string): string | undefined {
    return this.hash.get(ATTRIBUTE_PREFIX + name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  keys(): MapIterator<string> {
    return this.all.keys();
  }

  values(): MapIterator<string> {
    return this.all.values();
  }

  entries(): MapIterator<[string, string]> {
    return this.all.entries();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  forEach(
    visit: (text: string, name: string, map: ReadonlyMap<string, string>) => void,
    thisArgument?: unknown,
  ): void {
    this.all.forEach(visit, thisArgument);
  }

  private get all(): ReadonlyMap<string, string> {
    this.map ??= new Map(this.pairs());
    return this.map;
  }

  private *pairs(): Generator<[string, string], void> {
    for (const field of this.hash.keys()) {
      if (!field.startsWith(ATTRIBUTE_PREFIX)) continue;
      yield [field.slice(ATTRIBUTE_PREFIX.length), this.hash.get(field) ?? ''];
    }
  }
}
