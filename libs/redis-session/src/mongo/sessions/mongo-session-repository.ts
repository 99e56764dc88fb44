import { type Collection, type Filter } from 'mongodb';
import { type MapSession } from '../../session/map-session.js';
import { RecordedAccesses } from '../../session/recorded-accesses.js';
import { type SessionRepositoryOptions } from '../../session/repository-options.js';
import { conflictOf, type SaveOutcome, type SessionChange } from '../../session/session-change.js';
import { accessedAt, type SessionTimes } from '../../session/session-times.js';
import { StoredSessionRepository } from '../../session/stored-session-repository.js';
import { SessionCorruptError } from '../../session/session.errors.js';
import { AccessTimes } from './access-times.js';
import { type DeadlineRunner, type NextCommand, isDuplicate } from '../deadline-runner.js';
import {
  type MongoSession,
  type SessionDocument,
  expireAtOf,
  textsOf,
  timesOf,
  toStored,
} from './session-document.js';
import {
  type AlsoWritten,
  NOT_ENDED,
  projectionOf,
  updateFrom,
  updateOf,
} from './session-updates.js';

/**
 * Keeps each session in one document, and each attribute in a field of it. One command per operation, all of them on one
 * document, so that each is atomic without transactions:
 *
 * ```
 * findById    find, or findAndModify when a record of the access is due
 * save        update { sessionId, … } by { $set, $unset, $max }; the filter holds what must still be so
 * deleteById  delete
 * ```
 *
 * No command computes with stored values, as only newer servers do. The end of a session is computed here, and the filter
 * makes sure that it was computed from what is stored. When it was not, the command is sent again.
 */
export class MongoSessionRepository extends StoredSessionRepository {
  private readonly accesses: RecordedAccesses;
  private readonly times: AccessTimes;

  constructor(
    protected readonly sessions: Collection<SessionDocument>,
    protected readonly runner: DeadlineRunner,
    options: SessionRepositoryOptions,
  ) {
    super({ ...options, deadlineMs: undefined });
    const { touchIntervalSeconds } = options;
    this.accesses = new RecordedAccesses(touchIntervalSeconds);
    this.times = new AccessTimes(options, (touchIntervalSeconds ?? 0) * 1000);
  }

  /** What is to be done now and then, besides what requests do. */
  async cleanUp(): Promise<void> {
    await this.deleteExpired();
  }

  /** Deletes the sessions that ended at `beforeMs` (epoch) or earlier. */
  protected async deleteExpired(beforeMs = this.options.clock()): Promise<void> {
    await this.runner.run('delete expired sessions', (next) =>
      this.sessions.deleteMany({ expireAt: { $lte: new Date(beforeMs) } }, next()),
    );
  }

  protected override load(id: string, accessTimeMs?: number): Promise<MongoSession | undefined> {
    return this.runner.run('read the session', async (next) => {
      if (accessTimeMs === undefined) return this.read(id, next);
      if (!this.accesses.isRecorded(id, accessTimeMs)) return this.touch(id, accessTimeMs, next);
      const stored = await this.read(id, next);
      return stored && accessedAt(stored, accessTimeMs);
    });
  }

  protected override write(change: SessionChange, session: MapSession): Promise<SaveOutcome> {
    return this.runner.run('save the session', (next) => this.writeAlso(change, session, {}, next));
  }

  /** @param also - what is written in the same step */
  protected writeAlso(
    change: SessionChange,
    session: MapSession,
    also: AlsoWritten,
    next: NextCommand,
  ): Promise<SaveOutcome> {
    if (change.isNew) return this.insert(change, also, next);
    return this.update(change, session.maxInactiveIntervalSeconds, also, next);
  }

  protected override async delete(id: string): Promise<void> {
    await this.runner.run('delete the session', (next) =>
      this.sessions.deleteOne({ sessionId: id, ...NOT_ENDED }, next()),
    );
  }

  /** Ends a session that a read has found after its time: no clock that is slower finds it again. */
  protected async expire(id: string, nowMs: number, next: NextCommand): Promise<void> {
    const filter = { sessionId: id, ...NOT_ENDED, expireAt: { $lte: new Date(nowMs) } };
    await this.sessions.deleteOne(filter, next());
  }

  /** What a session that has not ended matches. */
  protected living(): Filter<SessionDocument> {
    return { ...NOT_ENDED, expireAt: { $gt: new Date(this.options.clock()) } };
  }

  /** A session that cannot be understood is left out. */
  protected opened(document: SessionDocument): MapSession[] {
    const { sessionId } = document;
    try {
      return [this.toSession(sessionId, false, toStored(document), sessionId)];
    } catch (error) {
      if (!(error instanceof SessionCorruptError) || this.options.onCorrupt === 'error')
        throw error;
      this.options.logger.warn(error.message);
      return [];
    }
  }

  private async read(id: string, next: NextCommand): Promise<MongoSession | undefined> {
    const filter = { sessionId: id, ...NOT_ENDED };
    const document = await this.sessions.findOne(filter, { ...next(), projection: { untold: 0 } });
    const stored = document ? toStored(document) : undefined;
    const nowMs = this.options.clock();
    if (!stored || stored.expiryTime > nowMs) return stored;
    await this.expire(id, nowMs, next);
    return undefined;
  }

  /** One command when the session's times are known, or as those of most sessions are. */
  private async touch(
    id: string,
    accessTimeMs: number,
    next: NextCommand,
  ): Promise<MongoSession | undefined> {
    const document = await this.sessions.findOneAndUpdate(
      { sessionId: id, ...this.living(), ...this.times.expectedTimes(id, accessTimeMs) },
      this.times.accessAt(id, accessTimeMs),
      { ...next(), returnDocument: 'after' },
    );
    const stored = document ? toStored(document) : await this.read(id, next);
    if (!stored) return undefined;
    this.times.remember(id, stored);
    const touched = document ? stored : await this.touchRead(id, stored, accessTimeMs, next);
    this.accesses.remember(id, touched);
    return touched;
  }

  /** Records an access of a session of which the times have just been read, if that is due. */
  private async touchRead(
    id: string,
    stored: MongoSession,
    accessTimeMs: number,
    next: NextCommand,
  ): Promise<MongoSession> {
    if (!this.times.isDue(stored, accessTimeMs)) return stored;
    const expected = this.times.expectedTimes(id, accessTimeMs);
    const filter = { sessionId: id, ...this.living(), ...expected };
    await this.sessions.updateOne(filter, this.times.accessAt(id, accessTimeMs), next());
    return accessedAt(stored, accessTimeMs);
  }

  private async insert(
    change: SessionChange,
    also: AlsoWritten,
    next: NextCommand,
  ): Promise<SaveOutcome> {
    const { id, creationTime, lastAccessedTime, maxInactiveInterval = -1 } = change;
    const times = { creationTime, lastAccessedTime, maxInactiveInterval };
    const update = updateOf(change, also, {
      lastAccessTime: new Date(lastAccessedTime),
      maxInactiveInterval,
      expireAt: expireAtOf(times, this.options.absoluteTimeoutSeconds),
    });
    const filter = { sessionId: id, ...NOT_ENDED };
    const untold = also.event ? { untold: [also.event] } : {};
    const $setOnInsert = { creationTime: new Date(creationTime), ...untold };
    for (let attempt = 1; ; attempt++) {
      try {
        await this.sessions.updateOne(
          filter,
          { ...update, $setOnInsert },
          { upsert: true, ...next() },
        );
        return { kind: 'saved' };
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        // The first save of it came late, and it is there now: or it was, and has been ended.
        if (attempt > 1) return { kind: 'missing' };
      }
    }
  }

  /** Tries again, within the deadline, while others change the times of the session. */
  private async update(
    change: SessionChange,
    interval: number,
    also: AlsoWritten,
    next: NextCommand,
  ): Promise<SaveOutcome> {
    const { creationTime, lastAccessedTime, storedId, id } = change;
    let sessionId = storedId;
    let times: SessionTimes = { creationTime, lastAccessedTime, maxInactiveInterval: interval };
    for (;;) {
      const { absoluteTimeoutSeconds } = this.options;
      const { filter, update } = updateFrom(times, change, also, absoluteTimeoutSeconds);
      const moves = also.event && sessionId !== id ? { $push: { untold: also.event } } : {};
      const written = await this.sessions.updateOne(
        { sessionId, ...this.living(), ...filter },
        { ...update, ...moves },
        next(),
      );
      if (written.matchedCount > 0) return { kind: 'saved' };
      const document = await this.sessions.findOne(
        { sessionId: { $in: [storedId, id] }, ...this.living() },
        { ...next(), projection: projectionOf(change) },
      );
      if (!document) return { kind: 'missing' };
      const stored = textsOf(document.attributes);
      const conflict = conflictOf(change, (name) => stored.get(name.toWellFormed()));
      if (conflict) return conflict;
      ({ sessionId } = document);
      times = timesOf(document);
    }
  }
}
