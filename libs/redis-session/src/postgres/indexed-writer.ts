import { MAXIMUM_SESSIONS_REASON } from '../session/session-event.js';
import {
  type IndexChange,
  type LimitedLogin,
  PRINCIPAL_INDEX,
  type SessionIndexing,
} from '../session/indexed/session-indexing.js';
import { eventOfSave } from '../session/indexed/recorded-event.js';
import { type MapSession } from '../session/map-session.js';
import { type SessionChange } from '../session/session-change.js';
import { type SessionIndexOptions, type SessionStoreOptions } from '../session/session-store.js';
import { SessionLimitError } from '../session/session.errors.js';
import { type indexedStatements } from './indexed-statements.js';
import { type RunStatement } from './postgres-client.js';
import { type SavedSession } from './postgres-session-repository.js';
import { type SessionEnds } from './session-ends.js';
import { type SessionTables } from './session-tables.js';

/** What an indexed repository is told. */
export interface PostgresIndexedOptions extends SessionStoreOptions {
  readonly indexed: SessionIndexOptions;
}

/** What an {@link IndexedWriter} works with. */
export interface IndexedWriterInput extends PostgresIndexedOptions {
  readonly ends: SessionEnds;
  /** Names of the attributes that events carry; null = all; undefined = events are not recorded. */
  readonly eventAttributes: readonly string[] | null | undefined;
  readonly indexing: SessionIndexing;
  readonly statements: ReturnType<typeof indexedStatements>;
  readonly tables: SessionTables;
}

/** Writes what belongs to a session beside itself: its index values, its event, and the end of sessions that are too many. */
export class IndexedWriter {
  constructor(private readonly input: IndexedWriterInput) {}

  /** Whether the save is an event. */
  isEvent(change: SessionChange): boolean {
    return this.input.eventAttributes !== undefined && eventOfSave(change) !== undefined;
  }

  /** Locks the user of a login that is limited. @returns what writes the rest, once the session is written */
  async begin(
    run: RunStatement,
    change: SessionChange,
    session: MapSession,
    indexChange: IndexChange,
  ): Promise<(saved: SavedSession) => Promise<void>> {
    const login = this.input.indexing.limitOf(session, indexChange);
    if (login) await this.lockUser(run, login);
    return async (saved) => {
      await this.writeIndexes(run, saved.primaryId, indexChange);
      if (login) await this.makeRoom(run, saved, login);
      await this.tell(run, saved, change);
    };
  }

  /** Until the end of the transaction no other login of the user goes on, on any replica. */
  private async lockUser(run: RunStatement, { names }: LimitedLogin): Promise<void> {
    const { statements, tables } = this.input;
    await run(statements.lockUser, [`${tables.sessions} ${names.toSorted()[0] ?? ''}`]);
  }

  /** @throws SessionLimitError when the user has as many sessions as allowed, and the policy says so */
  private async makeRoom(
    run: RunStatement,
    { primaryId }: SavedSession,
    { names, limit }: LimitedLogin,
  ): Promise<void> {
    const { clock, ends, indexed, statements } = this.input;
    const others = Math.max(0, limit - 1);
    const values = [names, primaryId, clock(), others];
    if (indexed.maximumSessionsPolicy === 'expire-oldest') {
      const end = { type: 'deleted', reason: MAXIMUM_SESSIONS_REASON } as const;
      await ends.endLocked(run, statements.lockSurplus, values, end);
    } else if (limit === 0 || (await run(statements.lockSurplus, values)).length > 0) {
      throw SessionLimitError.create();
    }
  }

  private async writeIndexes(
    run: RunStatement,
    primaryId: string,
    { changed }: IndexChange,
  ): Promise<void> {
    const { statements } = this.input;
    const { [PRINCIPAL_INDEX]: principal, ...others } = Object.fromEntries(changed);
    if (changed.has(PRINCIPAL_INDEX))
      await run(statements.setPrincipal, [primaryId, principal ?? null]);
    const names = Object.keys(others);
    if (names.length === 0) return;
    const values = JSON.stringify(others, (_name, value: unknown) => value ?? null);
    await run(statements.setIndexes, [primaryId, values]);
  }

  /** Records the event of a save. */
  private async tell(
    run: RunStatement,
    { primaryId, isCreated, isMoved }: SavedSession,
    change: SessionChange,
  ): Promise<void> {
    const { eventAttributes = null, statements } = this.input;
    if (!this.isEvent(change) || !(isCreated || isMoved)) return;
    const type = isCreated ? 'created' : 'id-changed';
    const previousId = isMoved ? change.storedId : null;
    await run(statements.tell, [primaryId, type, previousId, eventAttributes]);
  }
}
