import { type Collection, type Filter } from 'mongodb';
import { type SaveOutcome } from '../session/session-change.js';
import { type SessionIndexOptions } from '../session/session-store.js';
import { SessionLimitError } from '../session/session.errors.js';
import { type NextCommand } from './deadline-runner.js';
import { type LoginLocks } from './login-locks.js';
import { type SessionDocument } from './session-document.js';
import { type SessionEnds } from './session-ends.js';

/** Why the sessions end that are too many. */
const MAXIMUM_SESSIONS_REASON = 'maximum-sessions';

/** A login of a user whose sessions are limited. */
export interface LimitedLogin {
  /** What stands for the user in the index. */
  readonly user: string;
  /** How many sessions the user may have. */
  readonly limit: number;
  /** The other sessions of the user. */
  readonly others: Filter<SessionDocument>;
  readonly save: () => Promise<SaveOutcome>;
}

/** What {@link LimitedLogins} works with. */
export interface LimitedLoginsInput {
  readonly ends: SessionEnds;
  readonly locks: LoginLocks;
  readonly policy: SessionIndexOptions['maximumSessionsPolicy'];
  readonly sessions: Collection<SessionDocument>;
}

/** Saves logins of users whose sessions are limited: those of one user come one after the other. */
export class LimitedLogins {
  constructor(private readonly input: LimitedLoginsInput) {}

  /** @throws SessionLimitError when the user has as many sessions as allowed, and the policy says so */
  save({ user, limit, others, save }: LimitedLogin, next: NextCommand): Promise<SaveOutcome> {
    const { locks, policy, sessions } = this.input;
    return locks.hold(user, next, async () => {
      if (policy === 'expire-oldest') {
        const outcome = await save();
        if (outcome.kind === 'saved') await this.endSurplus(others, Math.max(0, limit - 1), next);
        return outcome;
      }
      if (limit === 0 || (await sessions.countDocuments(others, next())) >= limit)
        throw SessionLimitError.create();
      return save();
    });
  }

  /** Ends all but those that were used last. */
  private async endSurplus(
    others: Filter<SessionDocument>,
    staying: number,
    next: NextCommand,
  ): Promise<void> {
    const sort = { lastAccessTime: -1, creationTime: -1 } as const;
    const surplus = await this.input.sessions
      .find(others, { ...next(), projection: { _id: 1 }, sort, skip: staying })
      .toArray();
    if (surplus.length === 0) return;
    const ids = surplus.map(({ _id }) => _id);
    const end = { type: 'deleted', reason: MAXIMUM_SESSIONS_REASON } as const;
    await this.input.ends.end({ _id: { $in: ids } }, end, next);
  }
}
