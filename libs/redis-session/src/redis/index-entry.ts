import { randomBytes } from 'node:crypto';
import { type HashFields } from './attribute-texts.js';

/** Followed by the index's name; the value is, as JSON, a mark of 6 characters, ':' and the session's value in that index. */
export const INDEX_FIELD_PREFIX = 'index:';
/** Epoch ms: the score of the session's index entries. */
export const INDEX_EXPIRY_FIELD = 'indexExpiry';
/** Only in the reply of a script; '1' = the entries in the indexes are to be written again, with a new score. */
export const NEW_INDEX_EXPIRY_FIELD = 'newIndexExpiry';

/** Present once the session has ended. */
export const OVER_FIELD = 'over';

const MARK_LENGTH = 6;

/**
 * One session in one index. In the index it is the member `<id>:<mark>`, in the session's hash the field
 * `index:<name>` = `"<mark>:<value>"`: JSON, because Spring applications that share a Redis decode every field of a hash.
 *
 * Index and hash lie in different slots of a Redis Cluster, so they never change in one step. The mark is new with each
 * write, so whoever removes an old entry late cannot hit a newer one of the same session.
 */
export interface IndexEntry {
  readonly name: string;
  readonly value: string;
  readonly mark: string;
}

/** An entry that no other one is mistaken for. */
export function newIndexEntry(name: string, value: string): IndexEntry {
  return { name, value, mark: randomBytes(5).toString('base64url').slice(0, MARK_LENGTH) };
}

/** What the hash of the session holds of `entry`. */
export function textOfEntry({ mark, value }: IndexEntry): string {
  return JSON.stringify(`${mark}:${value}`);
}

/** The member of the index. */
export function memberOf(sessionId: string, { mark }: IndexEntry): string {
  return `${sessionId}:${mark}`;
}

/** @param member - as {@link memberOf} makes it */
export function fromMember(member: string): { readonly sessionId: string; readonly mark: string } {
  const end = member.lastIndexOf(':');
  return { sessionId: member.slice(0, end), mark: member.slice(end + 1) };
}

/** The entries among fields and values in turn; a later value of a field wins. */
export function entriesOf(fields: readonly string[]): Map<string, IndexEntry> {
  const entries = new Map<string, IndexEntry>();
  for (let i = 0; i < fields.length; i += 2) {
    const [field = '', text = ''] = [fields[i], fields[i + 1]];
    if (!field.startsWith(INDEX_FIELD_PREFIX)) continue;
    const name = field.slice(INDEX_FIELD_PREFIX.length);
    const entry = toEntry(name, text);
    if (entry) entries.set(name, entry);
  }
  return entries;
}

/** The entries among the fields of a hash. */
export function entriesOfHash(hash: HashFields): Map<string, IndexEntry> {
  const fields = [...hash.keys()].filter((field) => field.startsWith(INDEX_FIELD_PREFIX));
  return entriesOf(fields.flatMap((field) => [field, hash.get(field) ?? '']));
}

/** @returns undefined when `text` is not what {@link textOfEntry} makes, '' among it */
export function toEntry(name: string, text: string): IndexEntry | undefined {
  const decoded = decode(text);
  if (decoded?.[MARK_LENGTH] !== ':') return undefined;
  return { name, mark: decoded.slice(0, MARK_LENGTH), value: decoded.slice(MARK_LENGTH + 1) };
}

function decode(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined;
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
