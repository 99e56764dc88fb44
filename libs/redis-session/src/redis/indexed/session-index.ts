import { withDeadline } from '../../lib/store-operation.js';
import { type IndexedSessionKeys } from './indexed-session.keys.js';
import { addToIndex, pageOfIndex } from '../lua/scripts.generated.js';
import { type RedisClient } from '../client/redis-client.js';
import {
  integerOf,
  listOf,
  type Script,
  scriptOf,
  WriteDeadline,
  unknownOutcome,
} from '../client/script.js';
import { generateSessionId } from '../../session/session-id.js';
import { type HashFields } from '../sessions/hash-fields.js';

/**
 * Ms that an entry stays after its expiry. A session that is in use lives on while its entry says otherwise, until the
 * worker or the session's next request moves the entry: an hour is far more than either takes.
 */
export const INDEX_GRACE_MS = 3_600_000;

/** Which part of the entries is read. */
export interface IndexPage {
  readonly offset: number;
  readonly limit: number;
}

/** A part of the entries, those that live longest first, and how many there are in all. */
export interface IndexMembers {
  readonly total: number;
  readonly members: readonly string[];
}

/**
 * The indexes: for each value of each index a sorted set of sessions by expiry. A read, and a write that moves the end of
 * the index, drop what has ended long ago. An entry proves nothing: whoever reads one looks at the session.
 */
export class SessionIndex {
  private readonly addToIndex: Script;
  private readonly pageOfIndex: Script<readonly (string | number)[]>;
  private readonly deadline: WriteDeadline;

  constructor(
    private readonly client: RedisClient,
    private readonly keys: IndexedSessionKeys,
    private readonly timeoutMs: number,
  ) {
    this.addToIndex = scriptOf(client, 'nestIndexAdd', addToIndex);
    this.pageOfIndex = scriptOf(client, 'nestIndexPage', pageOfIndex);
    this.deadline = new WriteDeadline(timeoutMs);
  }

  /** @param expiry - epoch ms, Infinity = never */
  async add(sessionId: string, entry: IndexEntry, expiry: number): Promise<void> {
    const key = this.keys.index(entry.name, entry.value);
    const score = expiry === Infinity ? '+inf' : expiry;
    const member = memberOf(sessionId, entry);
    const [outcome] = await this.deadline.inTime('index the session', (latest) =>
      this.addToIndex(key, member, score, dropBeforeMs(), INDEX_GRACE_MS, latest),
    );
    if (outcome !== 1) throw unknownOutcome('addToIndex', outcome);
  }

  async remove(sessionId: string, entry: IndexEntry): Promise<void> {
    const key = this.keys.index(entry.name, entry.value);
    const removal = this.client.zrem(key, memberOf(sessionId, entry));
    await withDeadline('remove the session from an index', this.timeoutMs, removal);
  }

  /** All members, in no order. */
  async all(name: string, value: string): Promise<readonly string[]> {
    const members = this.client.zrange(this.keys.index(name, value), '0', '-1');
    return withDeadline('read an index', this.timeoutMs, members.then(listOf<string>));
  }

  async page(name: string, value: string, { offset, limit }: IndexPage): Promise<IndexMembers> {
    const key = this.keys.index(name, value);
    const last = offset + limit - 1;
    const page = this.pageOfIndex(key, dropBeforeMs(), offset, last).then((reply) => {
      const [total, ...members] = listOf(reply);
      return { total: integerOf(total), members: members.map(String) };
    });
    return withDeadline('read an index', this.timeoutMs, page);
  }
}

/** Entries that expired before this moment (epoch ms) are dropped. By the real time: a grace of an hour forgives clocks that differ. */
export function dropBeforeMs(): number {
  return Date.now() - INDEX_GRACE_MS;
}

/** Followed by the index's name; the value is, as JSON, a mark of 6 characters, ':' and the session's value in that index. */
export const INDEX_FIELD_PREFIX = 'index:';
/** Followed by the index's name: the encrypted value, when {@link INDEX_FIELD_PREFIX} tells an HMAC of it. */
export const INDEX_VALUE_FIELD_PREFIX = 'indexValue:';
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
  /** With encryption an HMAC of the value. */
  readonly value: string;
  readonly mark: string;
  /** Of a new entry: the encrypted value, for a field of its own. */
  readonly sealedValue?: string | undefined;
}

/** An entry that no other one is mistaken for. */
export function newIndexEntry(name: string, value: string, sealedValue?: string): IndexEntry {
  const mark = generateSessionId().slice(0, MARK_LENGTH);
  return { name, value, mark, sealedValue };
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
