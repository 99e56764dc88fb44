import { type MapSession } from '../session/map-session.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../session/session-change.js';
import {
  type SessionEventSource,
  type SessionEventSubscription,
  MAXIMUM_SESSIONS_REASON,
} from '../session/session-event.js';
import { type SessionSharing } from '../session/session-store.js';
import { type PostgresIndexedOptions } from './indexed-writer.js';
import { isMarked } from './indexed-statements.js';
import { type PostgresClient, type RunStatement } from './postgres-client.js';
import { PostgresIndexedSessionRepository } from './postgres-indexed-session-repository.js';
import { type PostgresSession } from './postgres-session.mapper.js';
import { type SessionTables } from './session-tables.js';
import { named } from './statements.js';

const DELETED = { type: 'deleted', reason: '' } as const;

/**
 * Keeps sessions in tables that Spring Session JDBC changes, too. Spring writes a session by its primary id, with the session
 * id that it has read. So a new id of this library comes with a new primary id: what Spring writes late finds no row.
 *
 * Spring neither writes the tables of events nor those of other indexes.
 */
export class SharedPostgresSessionRepository extends PostgresIndexedSessionRepository {
  private readonly shared: ReturnType<typeof sharedStatements>;

  constructor(
    client: PostgresClient,
    tables: SessionTables,
    options: PostgresIndexedOptions,
    private readonly sharing: SessionSharing,
  ) {
    super(client, tables, asStored(options, sharing), sharing.replacedMark);
    this.shared = sharedStatements(tables, sharing.replacedMark);
  }

  /** Also ends a session whose place a newer login at Spring has taken: Spring only marks it. */
  override async takeEndReason(id: string): Promise<string | undefined> {
    const reason = await super.takeEndReason(id);
    if (reason !== undefined) return reason;
    for (const storedId of this.atRest.idsToDelete(id)) {
      const ended = await this.watch('delete', () =>
        this.ends.endAll(this.shared.lockMarked, [storedId], DELETED),
      );
      if (ended > 0) return MAXIMUM_SESSIONS_REASON;
    }
    return undefined;
  }

  override createEventSource(subscription: SessionEventSubscription): SessionEventSource {
    const { ownNameOf } = this.sharing;
    return super.createEventSource({
      ...subscription,
      handler: (event) => {
        const named = [...event.attributes].map(
          ([name, value]) => [ownNameOf(name), value] as const,
        );
        return subscription.handler({ ...event, attributes: new Map(named) });
      },
    });
  }

  protected override async load(
    id: string,
    accessTimeMs?: number,
  ): Promise<PostgresSession | undefined> {
    const stored = await super.load(id, accessTimeMs);
    const own = stored && this.sharing.fromStored(stored);
    return own && { ...stored, ...own };
  }

  /** Spring may have written another user than this library understands: only a user who changes here is written. */
  protected override noteOpened(session: MapSession, _stored: StoredSession): void {
    const values = session.isNew ? undefined : this.indexing.changeOf(session).values;
    this.indexing.remember(session, values);
  }

  protected override async write(change: SessionChange, session: MapSession): Promise<SaveOutcome> {
    const outcome = await super.write(this.sharing.toStored(change), session);
    if (outcome.kind !== 'conflict') return outcome;
    const { ownNameOf } = this.sharing;
    const current = [...outcome.current].map(([name, text]) => [ownNameOf(name), text] as const);
    return { kind: 'conflict', current: new Map(current) };
  }

  protected override needsTransaction(change: SessionChange): boolean {
    return super.needsTransaction(change) || (!change.isNew && change.id !== change.storedId);
  }

  protected override async beforeUpdate(
    run: RunStatement,
    primaryId: string,
    { storedId, id }: SessionChange,
  ): Promise<void> {
    if (id !== storedId) await run(this.shared.move, [primaryId, id]);
  }
}

/** The options with names of attributes as they are stored. Events are decoded by these. */
function asStored(
  options: PostgresIndexedOptions,
  { ownNameOf, principalName, storedNameOf }: SessionSharing,
): PostgresIndexedOptions {
  const { codec } = options;
  const { eventAttributes } = options.indexed;
  return {
    ...options,
    codec: {
      encode: (value, name) => codec.encode(value, name),
      decode: (text, name) => codec.decode(text, ownNameOf(name)),
    },
    indexed: {
      ...options.indexed,
      principalName,
      eventAttributes:
        eventAttributes === 'all' ? eventAttributes : eventAttributes.map(storedNameOf),
    },
  };
}

function sharedStatements({ sessions, attributes, indexes }: SessionTables, replacedMark: string) {
  return named({
    // $1 id
    lockMarked: `
      SELECT primary_id FROM ${sessions}
       WHERE session_id = $1 AND ${isMarked(attributes, replacedMark)} FOR UPDATE`,

    // The session leaves its row for a new one. Its row is locked, so nobody adds attributes. $1 primary id, $2 new session id
    move: `
      WITH moved AS (
        INSERT INTO ${sessions} (primary_id, session_id, creation_time, last_access_time,
                                 max_inactive_interval, expiry_time, principal_name)
        SELECT gen_random_uuid(), $2, creation_time, last_access_time,
               max_inactive_interval, expiry_time, principal_name
          FROM ${sessions} WHERE primary_id = $1
        RETURNING primary_id
      ), kept AS (
        UPDATE ${attributes} SET session_primary_id = moved.primary_id
          FROM moved WHERE session_primary_id = $1
      ), found AS (
        UPDATE ${indexes} SET session_primary_id = moved.primary_id
          FROM moved WHERE session_primary_id = $1
      )
      DELETE FROM ${sessions} WHERE primary_id = $1`,
  });
}
