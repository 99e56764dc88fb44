import { withDeadline } from './deadline.js';
import { type IndexEntry, memberOf } from './index-entry.js';
import { type IndexedSessionKeys } from './indexed-session.keys.js';
import { addToIndex, pageOfIndex } from './lua/scripts.generated.js';
import { type RedisClient } from './redis-session.commands.js';
import { type RawReply, type ScriptArguments, unknownOutcome } from './script-reply.js';
import { WriteDeadline } from './write-deadline.js';

/**
 * Ms that an entry stays after its expiry. A session that is in use lives on while its entry says otherwise, until the
 * worker or the session's next request moves the entry: an hour is far more than either takes.
 */
export const INDEX_GRACE_MS = 3_600_000;

interface ScriptedClient {
  nestIndexAdd(...args: ScriptArguments): Promise<RawReply>;
  nestIndexPage(...args: ScriptArguments): Promise<readonly (string | number)[]>;
}

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
 * The indexes: for each value of each index a sorted set of sessions by expiry, which drops what has ended long ago at
 * each write and each read, and ends with its last entry. An entry proves nothing: whoever reads one looks at the session.
 */
export class SessionIndex {
  private readonly scripts: ScriptedClient;
  private readonly deadline: WriteDeadline;

  constructor(
    private readonly client: RedisClient,
    private readonly keys: IndexedSessionKeys,
    private readonly timeoutMs: number,
  ) {
    client.defineCommand('nestIndexAdd', addToIndex);
    client.defineCommand('nestIndexPage', pageOfIndex);
    this.scripts = client as unknown as ScriptedClient;
    this.deadline = new WriteDeadline(timeoutMs);
  }

  /** @param expiry - epoch ms, Infinity = never */
  async add(sessionId: string, entry: IndexEntry, expiry: number): Promise<void> {
    const key = this.keys.index(entry.name, entry.value);
    const score = expiry === Infinity ? '+inf' : expiry;
    const member = memberOf(sessionId, entry);
    const [outcome] = await this.deadline.inTime('index the session', (latest) =>
      this.scripts.nestIndexAdd(key, member, score, dropBeforeMs(), INDEX_GRACE_MS, latest),
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
    return withDeadline('read an index', this.timeoutMs, members);
  }

  async page(name: string, value: string, { offset, limit }: IndexPage): Promise<IndexMembers> {
    const key = this.keys.index(name, value);
    const last = offset + limit - 1;
    const reply = this.scripts.nestIndexPage(key, dropBeforeMs(), offset, last);
    const [total, ...members] = await withDeadline('read an index', this.timeoutMs, reply);
    return { total: Number(total), members: members.map(String) };
  }
}

/** Entries that expired before this moment (epoch ms) are dropped. By the real time: a grace of an hour forgives clocks that differ. */
export function dropBeforeMs(): number {
  return Date.now() - INDEX_GRACE_MS;
}
