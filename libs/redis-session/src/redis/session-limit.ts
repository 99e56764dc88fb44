import { SessionLimitError } from '../session/session.errors.js';
import { type SessionView } from '../session/session-view.js';
import { withDeadline } from './deadline.js';
import { type IndexEntry, memberOf } from './index-entry.js';
import { type IndexedSessionKeys } from './indexed-session.keys.js';
import { admitToIndex } from './lua/scripts.generated.js';
import { type RedisClient } from './redis-session.commands.js';
import { dropBeforeMs, INDEX_GRACE_MS } from './session-index.js';

/** What becomes of a login beyond the limit: it ends the user's oldest session, or is refused. */
export type SessionLimitPolicy = 'expire-oldest' | 'reject-login';

/** How many sessions a user may have: one number, or one for each session that is about to begin; -1 = unlimited. */
export type MaximumSessions = number | ((session: SessionView) => number);

/** What a {@link SessionLimit} works with. */
export interface SessionLimitInput {
  readonly client: RedisClient;
  readonly commandTimeoutMs: number;
  /** Which of these entries have no session. */
  readonly findDead: (entry: IndexEntry, members: readonly string[]) => Promise<readonly string[]>;
  readonly keys: IndexedSessionKeys;
  readonly policy: SessionLimitPolicy;
}

/** One login. */
export interface AdmissionRequest {
  readonly entry: IndexEntry;
  /** Epoch ms, Infinity = never. */
  readonly expiryMs: number;
  readonly id: string;
  /** The id under which the session is stored: it does not count. */
  readonly storedId: string;
  readonly limit: number;
}

/** Much longer than a save can take, and much shorter than a user waits who was refused by mistake. */
const LOGIN_LIFE_MS = 30_000;

interface ScriptedClient {
  nestIndexAdmit(...args: (string | number)[]): Promise<readonly (string | number)[]>;
}

/**
 * Admits logins, decided in Redis in one atomic step: of parallel logins on any replicas no more than the limit stay.
 *
 * "Oldest" is the session whose expiry was written longest ago: at its login, or when the worker last found it in use.
 */
export class SessionLimit {
  private readonly scripts: ScriptedClient;

  constructor(private readonly input: SessionLimitInput) {
    input.client.defineCommand('nestIndexAdmit', admitToIndex);
    this.scripts = input.client as unknown as ScriptedClient;
  }

  /**
   * Enters the session in the index of its user.
   *
   * @returns entries of the sessions that have to end once this one is stored
   * @throws SessionLimitError when the login is refused
   */
  async admit(request: AdmissionRequest): Promise<readonly string[]> {
    const first = await this.send(request, []);
    if (first.isAdmitted) return first.members;
    const dead = await this.input.findDead(request.entry, first.members);
    const second = dead.length > 0 ? await this.send(request, dead) : first;
    if (second.isAdmitted) return second.members;
    throw SessionLimitError.create();
  }

  private async send(
    { entry, expiryMs, id, storedId, limit }: AdmissionRequest,
    dead: readonly string[],
  ): Promise<{ isAdmitted: boolean; members: string[] }> {
    const { commandTimeoutMs, keys, policy } = this.input;
    const { name, value } = entry;
    const expiry = expiryMs === Infinity ? '+inf' : expiryMs;
    const isRefused = policy === 'reject-login' ? '1' : '0';
    const reply = this.scripts.nestIndexAdmit(
      ...[keys.index(name, value), keys.admitted(name, value), memberOf(id, entry), expiry],
      ...[dropBeforeMs(), INDEX_GRACE_MS, limit, isRefused, storedId, Date.now(), LOGIN_LIFE_MS],
      ...dead,
    );
    const [outcome, , ...members] = await withDeadline('admit the login', commandTimeoutMs, reply);
    return { isAdmitted: Number(outcome) === 1, members: members.map(String) };
  }
}
