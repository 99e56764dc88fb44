import { SessionLimitError } from '../../session/session.errors.js';
import { type SessionIndexOptions } from '../../session/session-store.js';
import { withDeadline } from '../../lib/store-operation.js';
import { MAX_WORKS, tryLater } from '../../lib/background-loop.js';
import {
  INDEX_GRACE_MS,
  type IndexEntry,
  type SessionIndex,
  dropBeforeMs,
  fromMember,
  memberOf,
} from './session-index.js';
import { type IndexedSessionKeys } from './indexed-session.keys.js';
import { admitToIndex } from '../lua/scripts.generated.js';
import { type RedisClient } from '../client/redis-client.js';
import { type Script, scriptOf, WriteDeadline, unknownOutcome } from '../client/script.js';

interface SessionLimitInput {
  readonly client: RedisClient;
  readonly commandTimeoutMs: number;
  /** Epoch ms of the last access to the session of this member; undefined = there is no such session. */
  readonly findLastAccess: (entry: IndexEntry, member: string) => Promise<number | undefined>;
  readonly keys: IndexedSessionKeys;
  /** Told of members that have no session. */
  readonly onDead: (entry: IndexEntry, member: string) => void;
  readonly policy: SessionIndexOptions['maximumSessionsPolicy'];
}

interface AdmissionRequest {
  readonly entry: IndexEntry;
  /** Epoch ms, Infinity = never. */
  readonly expiryMs: number;
  readonly id: string;
  /** The id under which the session is stored: it does not count. */
  readonly storedId: string;
  readonly limit: number;
}

/** In how many commands' time a login is over: its admission, its other indexes, its save. */
const COMMANDS_OF_LOGIN = 3;

/** Members, and the last access to the session of each in epoch ms; '' = it has none. */
type Known = readonly (readonly [member: string, lastAccess: number | ''])[];

/**
 * Admits logins, decided in Redis in one atomic step: of parallel logins on any replicas no more than the limit stay. A
 * session that is gone does not count, and of those that live the ones go that were used longest ago.
 */
export class SessionLimit {
  /** Ms after which a login is over that has not said so. */
  readonly loginLifeMs: number;
  private readonly admitToIndex: Script;
  private readonly deadline: WriteDeadline;

  constructor(private readonly input: SessionLimitInput) {
    this.admitToIndex = scriptOf(input.client, 'nestIndexAdmit', admitToIndex);
    this.deadline = new WriteDeadline(input.commandTimeoutMs);
    this.loginLifeMs = COMMANDS_OF_LOGIN * input.commandTimeoutMs;
  }

  /**
   * Enters the session in the index of its user.
   *
   * @returns entries of the sessions that have to end once this one is stored
   * @throws SessionLimitError when the login is refused
   */
  async admit(request: AdmissionRequest): Promise<readonly string[]> {
    const first = await this.send(request, true, []);
    if (first.isAdmitted) return first.members;
    const known = await Promise.all(
      first.members.map((member) => this.lookAt(request.entry, member)),
    );
    const second = await this.send(request, this.input.policy === 'reject-login', known);
    if (second.isAdmitted) return second.members;
    throw SessionLimitError.create();
  }

  /** The session is stored: from now on it counts as long as it lives. */
  async confirm(id: string, entry: IndexEntry): Promise<void> {
    const { client, commandTimeoutMs, keys } = this.input;
    const key = keys.admitted(entry.name, entry.value);
    const removal = client.zrem(key, `login:${memberOf(id, entry)}`);
    await withDeadline('note that the login is over', commandTimeoutMs, removal);
  }

  private async lookAt(entry: IndexEntry, member: string): Promise<Known[number]> {
    const { findLastAccess, onDead } = this.input;
    const lastAccess = await findLastAccess(entry, member);
    if (lastAccess === undefined) onDead(entry, member);
    return [member, lastAccess ?? ''];
  }

  private async send(
    { entry, expiryMs, id, storedId, limit }: AdmissionRequest,
    isRefused: boolean,
    known: Known,
  ): Promise<{ isAdmitted: boolean; members: string[] }> {
    const { keys } = this.input;
    const { name, value } = entry;
    const expiry = expiryMs === Infinity ? '+inf' : expiryMs;
    const [outcome, , ...members] = await this.deadline.inTime('admit the login', (latest) =>
      this.admitToIndex(
        ...[keys.index(name, value), keys.admitted(name, value), memberOf(id, entry), expiry],
        ...[dropBeforeMs(), INDEX_GRACE_MS, limit, isRefused ? '1' : '0', storedId],
        ...[latest, this.loginLifeMs, ...known.flat()],
      ),
    );
    if (outcome !== 1 && outcome !== -1) throw unknownOutcome('admitToIndex', outcome);
    return { isAdmitted: outcome === 1, members: members.map(String) };
  }
}

interface UnusedEntriesInput {
  /** Whether the connection to Redis is closed. */
  readonly isOver: () => boolean;
  /** Ms until the second attempt. */
  readonly pauseMs: number;
  readonly index: SessionIndex;
  /** Whether the session of `member` says that it is in this index. */
  readonly isUsed: (entry: IndexEntry, member: string) => Promise<boolean>;
}

/**
 * Takes entries out of an index whose session was never stored, or is gone: once no save can come any more that is still
 * under way. Best effort: what is left ends with its expiry.
 */
export class UnusedEntries {
  private readonly underWay = new Set<string>();

  constructor(private readonly input: UnusedEntriesInput) {}

  /** @param whenMs - epoch ms from which on no save of the session can come any more */
  removeAt(whenMs: number, entry: IndexEntry, member: string): void {
    if (this.underWay.has(member) || this.underWay.size >= MAX_WORKS) return;
    this.underWay.add(member);
    const { isOver, pauseMs } = this.input;
    const times = { delayMs: Math.max(0, whenMs - Date.now()), isOver, pauseMs };
    const removal = tryLater(() => this.remove(entry, member), times);
    void removal.then(() => this.underWay.delete(member));
  }

  private async remove(entry: IndexEntry, member: string): Promise<void> {
    const { index, isUsed } = this.input;
    if (await isUsed(entry, member)) return;
    const { sessionId, mark } = fromMember(member);
    await index.remove(sessionId, { ...entry, mark });
  }
}
