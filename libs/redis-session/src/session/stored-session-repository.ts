import { setTimeout as wait } from 'node:timers/promises';
import { toStoreError, withDeadline } from '../lib/store-operation.js';
import { OutageLog, type StoreOperation } from '../lib/outage-log.js';
import { laneOf, Lanes } from '../lib/lanes.js';
import { MapSession } from './map-session.js';
import { type PendingSessionChange, type SessionSetup } from './session.js';
import {
  knownOutcome,
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from './session-change.js';
import { tolerantCodec } from './attributes/codec.js';
import { type SessionRepositoryOptions } from './repository-options.js';
import { SessionsAtRest } from './at-rest/sessions-at-rest.js';
import { generateChangedSessionId } from './session-id.js';
import {
  isIndexed,
  type FindSessionOptions,
  type SessionRepository,
} from './session-repository.js';
import {
  isDoubtful,
  SessionCorruptError,
  SessionInvalidatedError,
  SessionStoreError,
  updatesInDoubt,
} from './session.errors.js';

/** Only other processes conflict, as updates of one session queue in each of them. */
const MAX_ATTEMPTS = 32;
const MAX_BACK_OFF_MS = 50;

/** A repository as requests need it. */
export interface SessionKeeper extends SessionRepository<MapSession> {
  /** Deletes `session` after the saves that are under way. */
  invalidate(session: MapSession): Promise<void>;

  /** The session of a request at `accessTimeMs` (epoch) if it is at hand, so that nothing has to be awaited. */
  findKept?(id: string, accessTimeMs: number): MapSession | undefined;
}

/** The options of a repository, the deadline of a store without its own, and the namespace of a shared store. */
export interface StoredSessionRepositoryOptions extends SessionRepositoryOptions {
  /** Milliseconds after which an operation counts as failed. Left out by a store with its own deadlines. */
  readonly deadlineMs?: number | undefined;
  /** Prefix of the keys of a store that several applications share. */
  readonly namespace?: string;
}

/**
 * The part of a repository that does not depend on where sessions are kept: three operations are left to the store. They
 * see sessions as `SessionsAtRest` stores them: with `hashIds` under hashed ids, with `encryption` in encrypted texts.
 */
export abstract class StoredSessionRepository implements SessionKeeper {
  /** Hashes ids and encrypts texts on the way to the store, if the options ask for it. */
  protected readonly atRest: SessionsAtRest;
  private readonly setup: SessionSetup;
  private readonly lanes = new Lanes();
  private readonly outages: OutageLog;

  /** @param options - with `deadlineMs`, operations that take longer fail; a repository with its own deadlines has none */
  constructor(protected readonly options: StoredSessionRepositoryOptions) {
    const { flushMode, saveMode, sessionIdGenerator } = options;
    this.atRest = new SessionsAtRest(options);
    this.outages = new OutageLog(options.logger);
    this.setup = {
      codec: tolerantCodec(options),
      flushMode,
      saveMode,
      generateChangedId: (id) => generateChangedSessionId(id, sessionIdGenerator),
    };
  }

  /** Reads a session that has not expired, and records the access. */
  protected abstract load(id: string, accessTimeMs?: number): Promise<StoredSession | undefined>;
  /** Writes all of `change`, which is what has changed in `session`, or nothing. */
  protected abstract write(change: SessionChange, session: MapSession): Promise<SaveOutcome>;
  /** Does nothing when there is none. */
  protected abstract delete(id: string): Promise<void>;

  /** Told of each session that is handed out, and of what is stored of it: of a new one, nothing yet. */
  protected noteOpened?(session: MapSession, stored: StoredSession): void;

  createSession(): MapSession {
    const stored = this.newlyStored(this.options.maxInactiveIntervalSeconds);
    return this.toSession(this.options.sessionIdGenerator(), true, stored);
  }

  async findById(id: string, options: FindSessionOptions = {}): Promise<MapSession | undefined> {
    try {
      return await this.watch('read', () => this.find(id, options));
    } catch (error) {
      if (!(error instanceof SessionCorruptError) || this.options.onCorrupt === 'error')
        throw error;
      this.options.logger.warn(error.message);
      return undefined;
    }
  }

  async save(session: MapSession): Promise<void> {
    await this.watch('save', () => laneOf(session).run(() => this.saveInTurn(session)));
  }

  async invalidate(session: MapSession): Promise<void> {
    await laneOf(session).run(async () => {
      if (session.isStored) await this.deleteById(session.storedId);
    });
  }

  async deleteById(id: string): Promise<void> {
    await this.watch('delete', async () => {
      for (const storedId of this.atRest.idsToDelete(id))
        await this.within('delete the session', () => this.delete(storedId));
    });
  }

  /** Settles as `work` does. The log tells when operations begin to fail, and when that has ended. */
  protected watch<T>(operation: StoreOperation, work: () => Promise<T>): Promise<T> {
    return this.outages.watch(operation, work);
  }

  private async find(
    id: string,
    { accessTimeMs }: FindSessionOptions,
  ): Promise<MapSession | undefined> {
    for (const storedId of this.atRest.idsToRead(id)) {
      const stored = await this.within('read the session', () => this.load(storedId, accessTimeMs));
      if (stored) return this.toSession(id, false, stored, storedId);
    }
    return undefined;
  }

  /** Updates of one session queue here: side by side, each would be computed again for each of the others. */
  private async saveInTurn(session: MapSession): Promise<void> {
    const write = () => this.writeChanges(session);
    await (session.hasPendingUpdates ? this.lanes.run(session.storedId, write) : write());
  }

  /** Only every fourth attempt waits: it loses to a busy process, but learns what is stored for those right after it. */
  private async writeChanges(session: MapSession): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const change = session.isInvalidated ? undefined : session.pendingChange();
      if (!change) return;
      const waits = attempt > 0 && attempt % 4 === 0;
      if (waits) await wait(Math.random() * Math.min(2 ** attempt, MAX_BACK_OFF_MS));
      const stored = this.atRest.toStored(session, change);
      const outcome = await this.attempt(stored, session);
      if (outcome.kind === 'saved') {
        this.atRest.markSaved(session, stored);
        session.markSaved(change);
        return;
      }
      if (outcome.kind === 'conflict') this.rebase(session, change, stored, outcome.current);
      else if (!this.atRest.followRename(session)) this.beginAnew(session);
    }
    throw new SessionStoreError(
      `Cannot save the session: other processes changed an attribute under update ${MAX_ATTEMPTS} times in a row. Send the request again, or update the attribute less often.`,
    );
  }

  /** Begins a new session if that of a visitor has ended while he logs in. For a user who was logged in, the logout wins. */
  private beginAnew(session: MapSession): void {
    if (!session.isVisitorLogin || session.isInDoubt)
      throw SessionInvalidatedError.create('save the session');
    const stored = this.newlyStored(session.maxInactiveIntervalSeconds);
    const opened = this.atRest.open(session.id, stored, true);
    session.beginAnew(stored.creationTime, opened.attributes);
    this.atRest.attach(session, opened);
    this.noteOpened?.(session, stored);
  }

  private newlyStored(maxInactiveInterval: number): StoredSession {
    const now = this.options.clock();
    return { creationTime: now, lastAccessedTime: now, maxInactiveInterval, attributes: new Map() };
  }

  private async attempt(stored: SessionChange, session: MapSession): Promise<SaveOutcome> {
    try {
      const outcome = knownOutcome(await this.writeInTime(stored, session));
      // What it conflicts with may be the session's own earlier attempt.
      if (session.isInDoubt && outcome.kind === 'conflict') throw updatesInDoubt();
      if (outcome.kind === 'saved') session.isInDoubt = false;
      return outcome;
    } catch (error) {
      if (isDoubtful(error))
        session.isInDoubt ||= session.hasPendingUpdates || session.isVisitorLogin;
      throw error;
    }
  }

  private rebase(
    session: MapSession,
    change: PendingSessionChange,
    stored: SessionChange,
    current: ReadonlyMap<string, string | undefined>,
  ): void {
    const isNewer = [...stored.attributes].some(
      ([name, { basedOn }]) => basedOn && current.get(name) !== basedOn.text,
    );
    session.rebase(change, this.atRest.toCurrent(session, stored, current), isNewer);
    this.atRest.markRebased(session);
  }

  /** An indexed repository calls functions of the application, too: what they throw is no failure of the store. */
  private writeInTime(stored: SessionChange, session: MapSession): Promise<SaveOutcome> {
    const write = () => this.write(stored, session);
    const isRaw = this.options.deadlineMs === undefined && isIndexed(this);
    return isRaw ? write() : this.within('save the session', write);
  }

  /** @throws RedisSessionError of the library as it is, and SessionStoreError for any other error */
  private async within<T>(action: string, work: () => Promise<T>): Promise<T> {
    const { deadlineMs } = this.options;
    try {
      return await (deadlineMs === undefined ? work() : withDeadline(action, deadlineMs, work()));
    } catch (error) {
      throw toStoreError(action, error);
    }
  }

  /** Makes the session that is handed out for `stored`. */
  protected toSession(
    id: string,
    isNew: boolean,
    stored: StoredSession,
    storedId = id,
  ): MapSession {
    const { setup, atRest } = this;
    const opened = atRest.open(storedId, stored, isNew);
    const { attributes, isOutdated } = opened;
    // No spread: it makes this call cost 8 times as much.
    const session = new MapSession({
      setup,
      owner: this,
      id,
      times: stored,
      attributes,
      isNew,
      isOutdated,
    });
    atRest.attach(session, opened);
    this.noteOpened?.(session, stored);
    return session;
  }
}
