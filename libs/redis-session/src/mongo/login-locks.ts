import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Collection } from 'mongodb';
import { Lanes } from '../lib/lanes.js';
import { digestOf } from '../session/session-id.js';
import { type NextCommand, isDuplicate } from './deadline-runner.js';
import { type LoginLock } from './session-collections.js';

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
