import { randomUUID } from 'node:crypto';
import { BackgroundLoop, jittered } from '../../lib/background-loop.js';
import { MapSessionRepository, hasEnded } from '../map-session-repository.js';
import { type MapSession } from '../map-session.js';
import { type SaveOutcome, type SessionChange, type StoredSession } from '../session-change.js';
import {
  type SessionEventRecorder,
  type SessionEventSource,
  type SessionEventSubscription,
  type SessionEventType,
  MAXIMUM_SESSIONS_REASON,
  type SessionEnd,
} from '../session-event.js';
import {
  type IndexedSessionRepository,
  type SessionPage,
  type SessionPageRequest,
  resolvePage,
} from '../session-repository.js';
import { type SessionIndexOptions, type SessionStoreOptions } from '../session-store.js';
import { SessionLimitError } from '../session.errors.js';
import { eventOfSave, eventReadersOf } from './recorded-event.js';
import { type LimitedLogin, PRINCIPAL_INDEX, SessionIndexing } from './session-indexing.js';
import {
  MemoryBroadcastEventSource,
  MemoryOnceEventSource,
  SessionMemory,
  byAccess,
  byEnd,
  indexValuesOf,
} from './session-memory.js';

interface MapIndexedOptions extends SessionStoreOptions {
  readonly indexed: SessionIndexOptions;
}

/** Ms between two looks for sessions whose end has come. */
const EXPIRATION_PAUSE_MS = 1000;

/**
 * Keeps sessions in memory so that they can be found by their user, limited, and told of: for development and tests without
 * a server. A search looks through all sessions.
 */
export class MapIndexedSessionRepository
  extends MapSessionRepository
  implements IndexedSessionRepository, SessionEventRecorder
{
  private readonly indexing: SessionIndexing;
  private readonly expiring: BackgroundLoop;

  constructor(
    private readonly indexedOptions: MapIndexedOptions,
    private readonly memory = new SessionMemory(),
  ) {
    super(indexedOptions, memory.sessions);
    this.indexing = new SessionIndexing(indexedOptions.indexed, this.atRest);
    this.expiring = new BackgroundLoop({
      action: 'end expired sessions',
      logger: indexedOptions.logger,
      pauseMs: () => jittered(EXPIRATION_PAUSE_MS),
      turn: () => this.endExpired(),
    });
  }

  findByPrincipalName(name: string, page?: SessionPageRequest): Promise<SessionPage<MapSession>> {
    return this.findByIndex(PRINCIPAL_INDEX, name, page);
  }

  /** A wrong page is a rejection, as it is in stores that wait for a server. */
  findByIndex(
    name: string,
    value: string,
    page?: SessionPageRequest,
  ): Promise<SessionPage<MapSession>> {
    return new Promise((resolve) => {
      resolve(this.pageOf(name, value, resolvePage(page)));
    });
  }

  endById(id: string, reason: string): Promise<void> {
    const ids = this.atRest.idsToDelete(id).filter((storedId) => this.findLive(storedId));
    this.endAll(ids, reason);
    return Promise.resolve();
  }

  endByPrincipalName(name: string, reason: string, exceptId = ''): Promise<number> {
    return this.endUser(this.indexing.storedValuesOf(PRINCIPAL_INDEX, name), reason, exceptId);
  }

  endOthersOf(session: MapSession, reason: string): Promise<number> {
    return this.endUser(this.indexing.userValuesOf(session), reason, session.id);
  }

  takeEndReason(id: string): Promise<string | undefined> {
    const { reasons } = this.memory;
    const ended = this.atRest.idsToDelete(id).find((storedId) => reasons.has(storedId)) ?? '';
    const reason = reasons.peek(ended);
    reasons.delete(ended);
    return Promise.resolve(reason);
  }

  createEventSource(subscription: SessionEventSubscription): SessionEventSource {
    const { indexedOptions, memory } = this;
    const readers = eventReadersOf(indexedOptions, this.atRest);
    const { logger } = indexedOptions;
    const input = { ...subscription, ...readers, events: memory.events, logger };
    return subscription.delivery === 'once'
      ? new MemoryOnceEventSource(input)
      : new MemoryBroadcastEventSource(input);
  }

  startExpiring(): Promise<void> {
    this.expiring.start();
    return Promise.resolve();
  }

  stopExpiring(): Promise<void> {
    return this.expiring.stop();
  }

  protected override noteOpened(session: MapSession, stored: StoredSession): void {
    this.indexing.remember(session, indexValuesOf(stored));
  }

  /** @throws SessionLimitError */
  protected override write(change: SessionChange, session: MapSession): Promise<SaveOutcome> {
    const indexChange = this.indexing.changeOf(session);
    const login = this.indexing.limitOf(session, indexChange);
    const others = login ? this.othersOf(login.names, [change.id, change.storedId]) : [];
    this.refuseIfFull(login, others.length);
    const before = indexValuesOf(this.sessions.get(change.storedId));
    const outcome = this.writeNow(change);
    if (outcome.kind === 'saved') {
      this.memory.changeIndexes(change.id, before, indexChange.changed);
      this.indexing.remember(session, indexChange.values);
      if (login) this.endAll(others.slice(Math.max(0, login.limit - 1)), MAXIMUM_SESSIONS_REASON);
      this.tellSave(change);
    }
    return Promise.resolve(outcome);
  }

  protected override end(id: string, { type, reason }: SessionEnd): void {
    this.tell(type, id, { reason });
    if (reason !== '') this.memory.reasons.set(id, reason);
    super.end(id, { type, reason });
  }

  /** @throws SessionLimitError when the user has as many sessions as allowed, and the policy says so */
  private refuseIfFull(login: LimitedLogin | undefined, count: number): void {
    const { maximumSessionsPolicy } = this.indexedOptions.indexed;
    if (!login || maximumSessionsPolicy === 'expire-oldest') return;
    if (count >= login.limit) throw SessionLimitError.create();
  }

  private endExpired(): Promise<void> {
    for (const id of this.sessions.keys()) this.findLive(id);
    return Promise.resolve();
  }

  private endUser(names: readonly string[], reason: string, exceptId: string): Promise<number> {
    const ids = this.othersOf(names, this.atRest.idsToDelete(exceptId));
    this.endAll(ids, reason);
    return Promise.resolve(ids.length);
  }

  private endAll(ids: readonly string[], reason: string): void {
    for (const id of ids) this.end(id, { type: 'deleted', reason });
  }

  /** Ids of the living sessions of a user, those that were used last first. @param ids - of sessions that are left out */
  private othersOf(names: readonly string[], ids: readonly string[]): string[] {
    return this.living(PRINCIPAL_INDEX, names)
      .filter(([id]) => !ids.includes(id))
      .sort(([, one], [, other]) => byAccess(one, other))
      .map(([id]) => id);
  }

  private pageOf(
    name: string,
    value: string,
    { offset, limit }: Required<SessionPageRequest>,
  ): SessionPage<MapSession> {
    const order = byEnd(this.options.absoluteTimeoutSeconds);
    const found = this.living(name, this.indexing.storedValuesOf(name, value));
    const sessions = found
      .sort(([, one], [, other]) => order(one, other))
      .slice(offset, offset + limit)
      .map(([id, stored]) => this.toSession(id, false, stored));
    return { sessions, total: found.length };
  }

  private living(name: string, values: readonly string[]): [string, StoredSession][] {
    const found = this.memory.findBy(name, values);
    return found.filter(([, stored]) => !hasEnded(stored, this.options));
  }

  private tellSave(change: SessionChange): void {
    const type = eventOfSave(change);
    if (!type) return;
    const previousSessionId = type === 'created' ? '' : change.storedId;
    this.tell(type, change.id, { previousSessionId });
  }

  private tell(
    type: SessionEventType,
    sessionId: string,
    { previousSessionId = '', reason = '' } = {},
  ): void {
    const stored = this.sessions.get(sessionId);
    const { eventDelivery, maxEvents } = this.indexedOptions.indexed;
    if (!stored || eventDelivery === 'none') return;
    const { attributes: texts, creationTime } = stored;
    const what = { eventId: randomUUID(), type, sessionId, previousSessionId, reason };
    const indexes = indexValuesOf(stored);
    const recorded = { ...what, creationTime, indexes, texts, occurredAt: new Date() };
    this.memory.events.record(recorded, maxEvents);
  }
}
