import { accessedAt, expiryTimeMs } from '../session/session-times.js';
import { RecordedAccesses } from '../session/recorded-accesses.js';
import { conflictOf, type SaveOutcome, type SessionChange } from '../session/session-change.js';
import { type MapSession } from '../session/map-session.js';
import { type SessionRepositoryOptions } from '../session/repository-options.js';
import { StoredSessionRepository } from '../session/stored-session-repository.js';
import {
  type PostgresClient,
  type Row,
  type RunStatement,
  type SqlValue,
  type Statement,
} from './postgres-client.js';
import { type PostgresSession, attributesToJson, toStored } from './postgres-session.mapper.js';
import { type SessionTables } from './session-tables.js';
import { SharedReads } from './shared-reads.js';
import { NEVER, sessionStatements } from './statements.js';

/** A row that was just written. */
export interface SavedSession {
  readonly primaryId: string;
  /** Whether it was stored for the first time. */
  readonly isCreated: boolean;
  /** Whether it has got its new id by this save. */
  readonly isMoved: boolean;
}

/**
 * Keeps each session in one row, and each attribute in another one, in the tables of Spring Session JDBC. One statement
 * per operation:
 *
 * ```
 * findById    SELECT …, (SELECT … FROM spring_session_attributes …) FROM spring_session …
 *             up to 16 sessions whose reads begin together
 *             WITH touched AS (UPDATE spring_session …) SELECT …
 *             one session, when its access has to be recorded
 * save        WITH session AS (UPDATE spring_session …), written AS (INSERT …) SELECT …
 *             with SELECT … FOR NO KEY UPDATE in place of UPDATE when the access is recorded already
 * deleteById  DELETE FROM spring_session …
 * ```
 *
 * A save that removes or updates an attribute is a transaction that locks the row first: a statement does not see what
 * others write while it waits for the row.
 */
export class PostgresSessionRepository extends StoredSessionRepository {
  protected readonly statements: ReturnType<typeof sessionStatements>;
  protected readonly absoluteTimeoutMs: number | null;
  private readonly accesses: RecordedAccesses;
  private readonly reads: SharedReads;
  private readonly touchIntervalMs: number;

  /** @param isIndexed - also reads what the indexes hold of a session */
  constructor(
    protected readonly client: PostgresClient,
    tables: SessionTables,
    options: SessionRepositoryOptions,
    isIndexed = false,
  ) {
    super({ ...options, deadlineMs: undefined });
    const { absoluteTimeoutSeconds, touchIntervalSeconds } = options;
    this.statements = sessionStatements(tables, isIndexed);
    this.reads = new SharedReads(client, this.statements.read);
    this.absoluteTimeoutMs =
      absoluteTimeoutSeconds === undefined ? null : absoluteTimeoutSeconds * 1000;
    this.accesses = new RecordedAccesses(touchIntervalSeconds);
    this.touchIntervalMs = (touchIntervalSeconds ?? 0) * 1000;
  }

  /** Deletes the sessions that ended at `beforeMs` (epoch) or earlier. Several workers share the work. */
  async deleteExpired(beforeMs = this.options.clock()): Promise<void> {
    const { deleteExpired } = this.statements;
    let count: number;
    do {
      const values = [beforeMs];
      count = (await this.client.run('delete expired sessions', deleteExpired, values)).length;
    } while (count > 0);
  }

  /** What is to be done now and then, besides what requests do. */
  async cleanUp(): Promise<void> {
    await this.deleteExpired();
  }

  protected override async load(
    id: string,
    accessTimeMs?: number,
  ): Promise<PostgresSession | undefined> {
    if (accessTimeMs === undefined) return this.read(id);
    if (!this.accesses.isRecorded(id, accessTimeMs)) return this.readAndTouch(id, accessTimeMs);
    const stored = await this.read(id);
    return stored && accessedAt(stored, accessTimeMs);
  }

  protected override async write(
    change: SessionChange,
    _session: MapSession,
  ): Promise<SaveOutcome> {
    const action = 'save the session';
    if (this.needsTransaction(change))
      return this.client.transaction(action, (run) => this.writeLocked(run, change));
    const rows = await this.client.run(action, ...this.saveOf(change));
    return { kind: rows.length === 0 ? 'missing' : 'saved' };
  }

  protected override async delete(id: string): Promise<void> {
    await this.client.run('delete the session', this.statements.delete, [id]);
  }

  /** Ends a session that a read has found after its time: no clock that is slower finds it again. */
  protected async expire(id: string, nowMs: number): Promise<void> {
    await this.client.run('delete the session', this.statements.deleteIfExpired, [id, nowMs]);
  }

  private read(id: string): Promise<PostgresSession | undefined> {
    return this.living(id, this.options.clock(), this.reads.read(id));
  }

  /** The statement reads the session as it was before it. */
  private async readAndTouch(
    id: string,
    accessTimeMs: number,
  ): Promise<PostgresSession | undefined> {
    const { absoluteTimeoutMs, touchIntervalMs } = this;
    const nowMs = this.options.clock();
    const values = [id, accessTimeMs, nowMs, touchIntervalMs, absoluteTimeoutMs];
    const rows = this.client.run('read the session', this.statements.readAndTouch, values);
    const row = rows.then(([first]) => first);
    const stored = await this.living(id, nowMs, row);
    if (!stored) return undefined;
    const isRecorded = accessTimeMs - stored.lastAccessedTime >= touchIntervalMs;
    const touched = isRecorded ? accessedAt(stored, accessTimeMs) : stored;
    this.accesses.remember(id, touched);
    return touched;
  }

  /** Ends a session that is read after its time. */
  private async living(
    id: string,
    nowMs: number,
    row: Promise<Row | undefined>,
  ): Promise<PostgresSession | undefined> {
    const stored = toStored(await row);
    if (!stored || stored.expiryTime > nowMs) return stored;
    await this.expire(id, nowMs);
    return undefined;
  }

  /**
   * Saves within a transaction.
   *
   * @param also - what else is written with the session, once its row is
   */
  protected async writeLocked(
    run: RunStatement,
    change: SessionChange,
    also?: (saved: SavedSession) => Promise<void>,
  ): Promise<SaveOutcome> {
    const { storedId, id, isNew } = change;
    let isAsStored = false;
    if (!isNew) {
      const [locked] = await run(this.statements.lock, [storedId, id, this.options.clock()]);
      if (!locked) return { kind: 'missing' };
      const [primaryId, lockedId] = locked;
      isAsStored = lockedId === storedId;
      const stored = await this.textsUnderUpdate(run, String(primaryId), change);
      const conflict = conflictOf(change, (name) => stored.get(name.toWellFormed()));
      if (conflict) return conflict;
      if (isAsStored) await this.beforeUpdate(run, String(primaryId), change);
    }
    const [saved] = await run(...this.saveOf(change));
    if (!saved) return { kind: 'missing' };
    const [primaryId, isCreated] = saved;
    const isMoved = isAsStored && id !== storedId;
    await also?.({ primaryId: String(primaryId), isCreated: isCreated === true, isMoved });
    return { kind: 'saved' };
  }

  /** Whether the save must see what others write while it waits for the row. */
  protected needsTransaction({ isNew, attributes }: SessionChange): boolean {
    const changes = [...attributes.values()];
    return (
      !isNew && changes.some(({ text, basedOn }) => text === undefined || basedOn !== undefined)
    );
  }

  /** What comes before the update of a row that is locked under its stored id. */
  protected async beforeUpdate(
    _run: RunStatement,
    _primaryId: string,
    _change: SessionChange,
  ): Promise<void> {
    // Nothing, where nobody else has the row by its primary id.
  }

  /** The stored texts of the attributes under update. */
  private async textsUnderUpdate(
    run: RunStatement,
    primaryId: string,
    { attributes }: SessionChange,
  ): Promise<ReadonlyMap<string, string>> {
    const names = [...attributes].flatMap(([name, { basedOn }]) =>
      basedOn ? [name.toWellFormed()] : [],
    );
    if (names.length === 0) return new Map();
    const rows = await run(this.statements.readAttributes, [primaryId, names]);
    return new Map(rows as readonly (readonly [string, string])[]);
  }

  private saveOf(change: SessionChange): [Statement, SqlValue[]] {
    const { storedId, id, creationTime, lastAccessedTime, maxInactiveInterval } = change;
    const { statements } = this;
    const attributes = attributesToJson(change);
    const nowMs = this.options.clock();
    const removes = [...change.attributes.values()].some(({ text }) => text === undefined);
    if (!removes && this.isOnlyAttributes(change))
      return [statements.updateAttributes, [id, nowMs, attributes]];
    if (!change.isNew) {
      const times = [lastAccessedTime, maxInactiveInterval ?? null, this.absoluteTimeoutMs];
      const update = removes ? statements.updateAndRemove : statements.update;
      return [update, [storedId, id, ...times, attributes, nowMs]];
    }
    const interval = maxInactiveInterval ?? -1;
    const expiryMs = expiryTimeMs(
      { creationTime, lastAccessedTime, maxInactiveInterval: interval },
      this.options.absoluteTimeoutSeconds,
    );
    const end = expiryMs === Infinity ? NEVER : expiryMs;
    const times = [creationTime, lastAccessedTime, interval, end];
    const insert = removes ? statements.insertAndRemove : statements.insert;
    return [insert, [id, ...times, attributes]];
  }

  /** Whether the row of the session stays as it is. */
  private isOnlyAttributes(change: SessionChange): boolean {
    const { storedId, id, isNew, lastAccessedTime, maxInactiveInterval, attributes } = change;
    return (
      !isNew &&
      id === storedId &&
      maxInactiveInterval === undefined &&
      attributes.size > 0 &&
      this.accesses.isRecorded(id, lastAccessedTime)
    );
  }
}
