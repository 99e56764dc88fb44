import { BackgroundLoop, jittered } from '../lib/background-loop.js';
import { eventReadersOf } from '../session/indexed/recorded-event.js';
import { PRINCIPAL_INDEX, SessionIndexing } from '../session/indexed/session-indexing.js';
import { UnansweredSessions } from '../session/indexed/unanswered-sessions.js';
import { type MapSession } from '../session/map-session.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../session/session-change.js';
import {
  type SessionEventRecorder,
  type SessionEventSource,
  type SessionEventSubscription,
} from '../session/session-event.js';
import {
  type IndexedSessionRepository,
  type SessionPage,
  type SessionPageRequest,
  resolvePage,
} from '../session/session-repository.js';
import { BroadcastEventSource, OnceEventSource } from './event-sources.js';
import { eventStatements } from './event-statements.js';
import { indexedStatements } from './indexed-statements.js';
import { IndexedWriter, type PostgresIndexedOptions } from './indexed-writer.js';
import { type PostgresClient, type SqlValue, type Statement } from './postgres-client.js';
import { type PostgresSession, refuseNul } from './postgres-session.mapper.js';
import { PostgresSessionRepository } from './postgres-session-repository.js';
import { SessionEnds } from './session-ends.js';
import { type SessionTables } from './session-tables.js';

/** Ms between two looks for sessions whose end has come. */
const EXPIRATION_PAUSE_MS = 1000;
const EXPIRED = { type: 'expired', reason: '' } as const;

/**
 * Keeps sessions in PostgreSQL so that they can be found by their user or by any other value, end on time though nobody
 * looks, and tell what happens to them. A session, its index values and its events change in one transaction.
 *
 * Mirrors `JdbcIndexedSessionRepository` of Spring Session.
 */
export class PostgresIndexedSessionRepository
  extends PostgresSessionRepository
  implements IndexedSessionRepository, SessionEventRecorder
{
  private readonly sql: ReturnType<typeof indexedStatements>;
  private readonly eventSql: ReturnType<typeof eventStatements>;
  protected readonly indexing: SessionIndexing;
  protected readonly ends: SessionEnds;
  private readonly writer: IndexedWriter;
  private readonly unanswered: UnansweredSessions;
  private readonly expiring: BackgroundLoop;

  constructor(
    client: PostgresClient,
    tables: SessionTables,
    private readonly indexedOptions: PostgresIndexedOptions,
    replacedMark?: string,
  ) {
    super(client, tables, indexedOptions, true);
    const { clock, commandTimeoutMs, indexed, logger } = indexedOptions;
    const statements = (this.sql = indexedStatements(tables, replacedMark));
    this.eventSql = eventStatements(tables);
    this.indexing = new SessionIndexing(indexed, this.atRest, refuseNul);
    const { eventAttributes, indexing } = this;
    this.ends = new SessionEnds({ client, clock, eventAttributes, statements });
    const parts = { ends: this.ends, eventAttributes, indexing, statements, tables };
    this.writer = new IndexedWriter({ ...indexedOptions, indexed, ...parts });
    this.unanswered = new UnansweredSessions({
      commandTimeoutMs,
      end: (id) => this.deleteById(id),
      isOver: () => client.isClosed,
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
   * The living sessions with `value` in the index `name`, those that live longest first. One statement, and one for
   * each 16 sessions of the page.
   *
   * @throws SessionOptionError for a limit or offset that counts nothing
   */
  async findByIndex(
    name: string,
    value: string,
    page?: SessionPageRequest,
  ): Promise<SessionPage<MapSession>> {
    const { offset, limit } = resolvePage(page);
    const values = this.storedValuesOf(name, value);
    const isByUser = name === PRINCIPAL_INDEX;
    const statement = isByUser ? this.sql.findByPrincipal : this.sql.findByIndex;
    const part = [values, this.options.clock(), limit, offset];
    const [row] = await this.watch('find', () =>
      this.client.run('find sessions', statement, isByUser ? part : [...part, name]),
    );
    const ids = JSON.parse(row?.[1] as string) as readonly string[];
    const found = await Promise.all(ids.map((id) => this.findById(id)));
    const sessions = found.filter(
      (session) => session && values.includes(this.indexing.valuesOf(session).get(name) ?? '\0'),
    ) as MapSession[];
    return { sessions, total: Number(row?.[0]) - (ids.length - sessions.length) };
  }

  async endById(id: string, reason: string): Promise<void> {
    for (const storedId of this.atRest.idsToDelete(id))
      await this.endLocked(this.sql.lockById, [storedId], reason);
  }

  endByPrincipalName(name: string, reason: string, exceptId?: string): Promise<number> {
    return this.endByStored(this.storedValuesOf(PRINCIPAL_INDEX, name), reason, exceptId);
  }

  endOthersOf(session: MapSession, reason: string): Promise<number> {
    return this.endByStored(this.indexing.userValuesOf(session), reason, session.id);
  }

  async takeEndReason(id: string): Promise<string | undefined> {
    const [row] = await this.watch('delete', () =>
      this.client.run('read why a session ended', this.sql.takeEndReason, [
        ...[this.atRest.idsToDelete(id), this.options.clock()],
      ]),
    );
    return row ? String(row[0]) : undefined;
  }

  createEventSource(subscription: SessionEventSubscription): SessionEventSource {
    const { client, eventSql: statements } = this;
    const { logger } = this.indexedOptions;
    const readers = eventReadersOf(this.indexedOptions, this.atRest);
    const input = { ...subscription, ...readers, client, logger, statements };
    return subscription.delivery === 'once'
      ? new OnceEventSource(input)
      : new BroadcastEventSource(input);
  }

  startExpiring(): Promise<void> {
    this.expiring.start();
    return Promise.resolve();
  }

  stopExpiring(): Promise<void> {
    return this.expiring.stop();
  }

  /** Ends the sessions whose end has come, with their events. */
  async endExpired(): Promise<void> {
    while ((await this.ends.endAll(this.sql.lockExpired, [this.options.clock()], EXPIRED)) > 0);
  }

  /** Drops what no worker has wanted for long: expired sessions, events, and why sessions have ended. */
  override async cleanUp(): Promise<void> {
    const { maxEvents, retentionSeconds } = this.indexedOptions.indexed;
    const nowMs = this.options.clock();
    await this.deleteExpired(nowMs - retentionSeconds * 1000);
    await this.client.run('drop old session events', this.eventSql.trim, [maxEvents]);
    await this.client.run('drop old positions', this.eventSql.forgetPositions, []);
    await this.client.run('forget why sessions ended', this.sql.forgetEnds, [nowMs]);
  }

  protected override noteOpened(session: MapSession, stored: StoredSession): void {
    this.indexing.remember(session, (stored as Partial<PostgresSession>).indexValues);
  }

  /** @throws SessionLimitError */
  protected override async write(change: SessionChange, session: MapSession): Promise<SaveOutcome> {
    const indexChange = this.indexing.changeOf(session);
    const isAlone =
      !this.needsTransaction(change) &&
      indexChange.changed.size === 0 &&
      !this.writer.isEvent(change);
    const save = () =>
      this.client.transaction('save the session', async (run) => {
        const writeRest = await this.writer.begin(run, change, session, indexChange);
        return this.writeLocked(run, change, writeRest);
      });
    const outcome = isAlone
      ? await super.write(change, session)
      : await this.unanswered.watch(session, save);
    if (outcome.kind === 'saved') this.indexing.remember(session, indexChange.values);
    return outcome;
  }

  protected override async delete(id: string): Promise<void> {
    if (this.eventAttributes === undefined) return super.delete(id);
    await this.ends.endAll(this.sql.lockById, [id], { type: 'deleted', reason: '' });
  }

  protected override async expire(id: string, nowMs: number): Promise<void> {
    await this.ends.endAll(this.sql.lockIfExpired, [id, nowMs], EXPIRED);
  }

  private endByStored(values: readonly string[], reason: string, exceptId = ''): Promise<number> {
    if (values.length === 0) return Promise.resolve(0);
    const staying = this.atRest.idsToDelete(exceptId);
    const locked = [values, staying, this.options.clock()];
    return this.endLocked(this.sql.lockByPrincipal, locked, reason);
  }

  private endLocked(lock: Statement, values: readonly SqlValue[], reason: string): Promise<number> {
    return this.watch('delete', () => this.ends.endAll(lock, values, { type: 'deleted', reason }));
  }

  /** What may stand for `value` in the tables, which hold no NUL character. */
  private storedValuesOf(name: string, value: string): readonly string[] {
    const values = this.indexing.storedValuesOf(name, value);
    return values.filter((stored) => !stored.includes('\0'));
  }

  /** Encrypted events keep all attributes: what they are encrypted with, and what names the user. */
  private get eventAttributes(): readonly string[] | null | undefined {
    const { eventAttributes, eventDelivery } = this.indexedOptions.indexed;
    if (eventDelivery === 'none') return undefined;
    return eventAttributes === 'all' || this.atRest.isSealing ? null : eventAttributes;
  }
}
