import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Collection, type Filter } from 'mongodb';
import { Lanes } from '../../lib/lanes.js';
import { MAXIMUM_SESSIONS_REASON } from '../../session/session-event.js';
import { type LimitedLogin } from '../../session/indexed/session-indexing.js';
import { type SaveOutcome } from '../../session/session-change.js';
import { digestOf } from '../../session/session-id.js';
import { type SessionIndexOptions } from '../../session/session-store.js';
import { SessionLimitError } from '../../session/session.errors.js';
import { type NextCommand, isDuplicate } from '../deadline-runner.js';
import { type LoginLock } from '../session-collections.js';
import { type SessionDocument } from '../sessions/session-document.js';
import { type SessionEnds } from './session-ends.js';

/** Ms between two attempts to get a lock that another replica holds. */
const MAX_PAUSE_MS = 20;

/** Has the logins of one user come one after the other, on all replicas. */
export class LoginLocks {
  /** In this process logins queue here, so that they do not ask the server again and again. */
  private readonly lanes = new Lanes();

  /** @param leaseMs - after which a lock counts as left behind: longer than any operation may take */
  constructor(
    private readonly locks: Collection<LoginLock>,
    private readonly leaseMs: number,
  ) {}

  /** Runs `work` while nobody else logs in the user. @param user - as the indexes hold it */
  hold<T>(user: string, next: NextCommand, work: () => Promise<T>): Promise<T> {
    return this.lanes.run(user, () => this.holdAlone(user, next, work));
  }

  private async holdAlone<T>(user: string, next: NextCommand, work: () => Promise<T>): Promise<T> {
    const lock = { _id: digestOf(user), owner: randomUUID() };
    while (!(await this.take(lock, next))) await wait(Math.random() * MAX_PAUSE_MS);
    try {
      return await work();
    } finally {
      // It ends by itself when this fails.
      await this.locks.deleteOne(lock).catch(() => undefined);
    }
  }

  /** @returns false when somebody else holds it */
  private async take(
    { _id, owner }: Pick<LoginLock, '_id' | 'owner'>,
    next: NextCommand,
  ): Promise<boolean> {
    const nowMs = Date.now();
    const until = new Date(nowMs + this.leaseMs);
    try {
      await this.locks.updateOne(
        { _id, until: { $lte: new Date(nowMs) } },
        { $set: { owner, until } },
        { upsert: true, ...next() },
      );
      return true;
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
  }
}

/** A login that is to be saved. */
export interface LoginToSave {
  readonly login: LimitedLogin;
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
  save({ login, others, save }: LoginToSave, next: NextCommand): Promise<SaveOutcome> {
    const { locks, policy, sessions } = this.input;
    const { names, limit } = login;
    return locks.hold(names[0] ?? '', next, async () => {
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
