import * as store from 'nestjs-redis-session/store';
import { type Pool } from 'pg';

/** Keeps sessions in `CREATE TABLE web_session (id text PRIMARY KEY, session text NOT NULL)`. */
export function oneTable(pool: Pool): store.SessionStore {
  return {
    name: 'one table',
    createRepository: (options) => new OneTableRepository(pool, options),
    start: async () => {
      await pool.query('SELECT id, session FROM web_session LIMIT 0');
    },
  };
}

export class OneTableRepository extends store.StoredSessionRepository {
  constructor(
    private readonly pool: Pool,
    options: store.StoredSessionRepositoryOptions,
  ) {
    super(options);
  }

  protected override async load(id: string, accessTimeMs?: number) {
    const { text, session } = await this.read(id);
    const touched = session && store.recordAccess(session, accessTimeMs, this.options);
    if (touched && touched !== session) await this.replace(id, text, id, touched);
    return touched;
  }

  protected override async write(change: store.SessionChange): Promise<store.SaveOutcome> {
    for (;;) {
      const { text, session: stored } = await this.read(change.storedId);
      const { outcome, session } = store.applyChange(stored, change);
      if (!session || (await this.replace(change.storedId, text, change.id, session)))
        return outcome;
    }
  }

  protected override async delete(id: string) {
    await this.pool.query('DELETE FROM web_session WHERE id = $1', [id]);
  }

  private async read(id: string): Promise<{ text?: string; session?: store.StoredSession }> {
    const sql = 'SELECT session FROM web_session WHERE id = $1';
    const [row] = (await this.pool.query<{ session: string }>(sql, [id])).rows;
    if (!row) return {};
    const session = store.sessionFromText(row.session);
    if (!store.hasEnded(session, this.options)) return { text: row.session, session };
    await this.delete(id);
    return {};
  }

  /** @returns false when somebody else has changed the session since it was read: nothing was written */
  private async replace(id: string, text = '', newId: string, session: store.StoredSession) {
    const newText = store.sessionToText(session);
    const update = 'UPDATE web_session SET id = $1, session = $2 WHERE id = $3 AND session = $4';
    const insert = 'INSERT INTO web_session VALUES ($1, $2) ON CONFLICT DO NOTHING';
    const written = text
      ? this.pool.query(update, [newId, newText, id, text])
      : this.pool.query(insert, [newId, newText]);
    return (await written).rowCount === 1;
  }
}
