import { type Filter } from 'mongodb';
import { BackgroundLoop, jittered } from '../../lib/background-loop.js';
import { eventReadersOf } from '../../session/indexed/recorded-event.js';
import { PRINCIPAL_INDEX, SessionIndexing } from '../../session/indexed/session-indexing.js';
import { UnansweredSessions } from '../../session/indexed/unanswered-sessions.js';
import { type MapSession } from '../../session/map-session.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../../session/session-change.js';
import {
  type SessionEventRecorder,
  type SessionEventSource,
  type SessionEventSubscription,
} from '../../session/session-event.js';
import {
  type IndexedSessionRepository,
  type SessionPage,
  type SessionPageRequest,
  resolvePage,
} from '../../session/session-repository.js';
import { type SessionIndexOptions, type SessionStoreOptions } from '../../session/session-store.js';
import { type DeadlineRunner, type NextCommand } from '../deadline-runner.js';
import { dropOld } from './drop-old.js';
import { createEventSource } from '../events/event-sources.js';
import { LimitedLogins, LoginLocks } from './limited-logins.js';
import { MongoSessionRepository } from '../sessions/mongo-session-repository.js';
import { type SessionCollections } from '../session-collections.js';
import { encodeField } from '../sessions/field-names.js';
import { type MongoSession, type SessionDocument } from '../sessions/session-document.js';
import { SessionEnds } from './session-ends.js';
import { indexUpdates } from '../sessions/session-updates.js';
import { ToldEvents } from '../events/told-events.js';

/** What an indexed repository is told. */
export interface MongoIndexedOptions extends SessionStoreOptions {
  readonly indexed: SessionIndexOptions;
}

/** Ms between two looks for sessions whose end has come. */
const EXPIRATION_PAUSE_MS = 1000;
const EXPIRED = { type: 'expired', reason: '' } as const;

/**
 * Keeps sessions in MongoDB so that they can be found by their user or by any other value, end on time though nobody
 * looks, and tell what happens to them. A session, its index values and its events are in one document, so that one
 * command changes them all.
 */
export class MongoIndexedSessionRepository
  extends MongoSessionRepository
  implements IndexedSessionRepository, SessionEventRecorder
{
  private readonly indexing: SessionIndexing;
  private readonly ends: SessionEnds;
  private readonly told: ToldEvents;
  private readonly logins: LimitedLogins;
  private readonly unanswered: UnansweredSessions;
  private readonly expiring: BackgroundLoop;

  constructor(
    private readonly collections: SessionCollections,
    runner: DeadlineRunner,
    private readonly indexedOptions: MongoIndexedOptions,
  ) {
    const { clock, commandTimeoutMs, indexed, logger } = indexedOptions;
    super(collections.sessions, runner, indexedOptions);
    this.indexing = new SessionIndexing(indexed, this.atRest);
    this.ends = new SessionEnds(this.sessions, clock, this.tellsEvents);
    const { eventAttributes } = indexed;
    // Encrypted events keep all attributes: what they are encrypted with, and what names the user.
    const carriesAll = eventAttributes === 'all' || this.atRest.isSealing;
    this.told = new ToldEvents(collections, carriesAll ? null : eventAttributes);
    const locks = new LoginLocks(collections.locks, 2 * runner.timeoutMs);
    const { ends, sessions } = this;
    const policy = indexed.maximumSessionsPolicy;
    this.logins = new LimitedLogins({ sessions, ends, locks, policy });
    this.unanswered = new UnansweredSessions({
      commandTimeoutMs,
      end: (id) => this.deleteById(id),
      isOver: () => runner.isClosed,
    });
    this.expiring = new BackgroundLoop({
      action: 'end expired sessions',
      logger,
      pauseMs: () => jittered(EXPIRATION_PAUSE_MS),
      turn: () => this.endExpired(),
    });
  }

  /** The living sessions of one user, those that live longest first. */
  findByPrincipalName(name: string, page?: SessionPageRequest): Promise<SessionPage<MapSession>> {
    return this.findByIndex(PRINCIPAL_INDEX, name, page);
  }

  /**
   * The living sessions with `value` in the index `name`, those that live longest first. Two commands at the same time.
   *
   * @throws SessionOptionError for a limit or offset that counts nothing
   */
  async findByIndex(
    name: string,
    value: string,
    page?: SessionPageRequest,
  ): Promise<SessionPage<MapSession>> {
    const { offset, limit } = resolvePage(page);
    const filter = this.foundBy(name, this.indexing.storedValuesOf(name, value));
    const sort = { expireAt: -1, creationTime: -1 } as const;
    const [total, documents] = await this.watch('find', () =>
      this.runner.run('find sessions', (next) =>
        Promise.all([
          this.sessions.countDocuments(filter, next()),
          this.sessions
            .find(filter, { ...next(), projection: { untold: 0 }, sort, skip: offset, limit })
            .toArray(),
        ]),
      ),
    );
    const sessions = documents.flatMap((document) => this.opened(document));
    return { sessions, total: total - (documents.length - sessions.length) };
  }

  async endById(id: string, reason: string): Promise<void> {
    await this.endAll({ sessionId: { $in: this.atRest.idsToDelete(id) } }, reason);
  }

  endByPrincipalName(name: string, reason: string, exceptId = ''): Promise<number> {
    const names = this.indexing.storedValuesOf(PRINCIPAL_INDEX, name);
    return this.endAll(this.ofUserExcept(names, this.atRest.idsToDelete(exceptId)), reason);
  }

  endOthersOf(session: MapSession, reason: string): Promise<number> {
    const names = this.indexing.userValuesOf(session);
    if (names.length === 0) return Promise.resolve(0);
    return this.endAll(this.ofUserExcept(names, this.atRest.idsToDelete(session.id)), reason);
  }

  takeEndReason(id: string): Promise<string | undefined> {
    const ids = this.atRest.idsToDelete(id);
    return this.watch('delete', () =>
      this.runner.run('read why a session ended', (next) => this.ends.takeReason(ids, next)),
    );
  }

  createEventSource(subscription: SessionEventSubscription): SessionEventSource {
    const { collections, runner, told } = this;
    const { logger } = this.indexedOptions;
    const readers = eventReadersOf(this.indexedOptions, this.atRest);
    return createEventSource({ ...subscription, ...readers, collections, logger, runner, told });
  }

  startExpiring(): Promise<void> {
    this.expiring.start();
    return Promise.resolve();
  }

  stopExpiring(): Promise<void> {
    return this.expiring.stop();
  }

  /** Ends the sessions whose end has come, with their events. Several workers do not do so twice. */
  async endExpired(): Promise<void> {
    await this.runner.run('end expired sessions', (next) =>
      this.ends.end(expiredBy(this.options.clock()), EXPIRED, next),
    );
  }

  /** Drops what no worker has wanted for long: sessions that have ended, events, replicas and locks. */
  override async cleanUp(): Promise<void> {
    const { retentionSeconds, maxEvents } = this.indexedOptions.indexed;
    const limits = { retentionMs: retentionSeconds * 1000, maxEvents };
    await this.runner.run('drop old sessions and events', (next) =>
      dropOld(this.collections, limits, this.options.clock(), next),
    );
  }

  protected override noteOpened(session: MapSession, stored: StoredSession): void {
    this.indexing.remember(session, (stored as Partial<MongoSession>).indexValues);
  }

  /** @throws SessionLimitError */
  protected override async write(change: SessionChange, session: MapSession): Promise<SaveOutcome> {
    const indexChange = this.indexing.changeOf(session);
    const { told } = this;
    const event = this.tellsEvents ? told.eventOfSave(change, indexChange.values) : undefined;
    const also = { ...indexUpdates(indexChange.changed), event };
    const outcome = await this.unanswered.watch(session, () =>
      this.runner.run('save the session', (next) => {
        const save = () => this.writeAlso(change, session, also, next);
        const login = this.indexing.limitOf(session, indexChange);
        if (!login) return save();
        const others = this.ofUserExcept(login.names, [change.id, change.storedId]);
        return this.logins.save({ login, others, save }, next);
      }),
    );
    if (outcome.kind === 'saved') this.indexing.remember(session, indexChange.values);
    return outcome;
  }

  protected override async delete(id: string): Promise<void> {
    await this.endInTime({ sessionId: id }, '');
  }

  protected override async expire(id: string, nowMs: number, next: NextCommand): Promise<void> {
    await this.ends.end({ sessionId: id, ...expiredBy(nowMs) }, EXPIRED, next);
  }

  /** The living sessions with one of the values. */
  private foundBy(name: string, values: readonly string[]): Filter<SessionDocument> {
    return { [`indexes.${encodeField(name)}`]: { $in: values }, ...this.living() };
  }

  /** The living sessions of a user. @param names - what may stand for the user @param ids - of sessions that are left out */
  private ofUserExcept(names: readonly string[], ids: readonly string[]): Filter<SessionDocument> {
    return { ...this.foundBy(PRINCIPAL_INDEX, names), sessionId: { $nin: ids } };
  }

  private endAll(filter: Filter<SessionDocument>, reason: string): Promise<number> {
    return this.watch('delete', () => this.endInTime(filter, reason));
  }

  private endInTime(filter: Filter<SessionDocument>, reason: string): Promise<number> {
    return this.runner.run('end sessions', (next) =>
      this.ends.end(filter, { type: 'deleted', reason }, next),
    );
  }

  private get tellsEvents(): boolean {
    return this.indexedOptions.indexed.eventDelivery !== 'none';
  }
}

function expiredBy(beforeMs: number): Filter<SessionDocument> {
  return { expireAt: { $lte: new Date(beforeMs) } };
}
