import { type SessionTables } from './session-tables.js';
import { named } from './statements.js';

/**
 * The statements that find sessions by values, and that end them. Times are epoch ms, on the clock of the repository.
 *
 * @param replacedMark - name of an attribute: sessions in which it is true count for no list and no limit, and are left to
 *   the program that has set it
 */
export function indexedStatements(tables: SessionTables, replacedMark?: string) {
  const isCounted =
    replacedMark === undefined ? 'true' : `NOT ${isMarked(tables.attributes, replacedMark)}`;
  return {
    ...indexStatements(tables, isCounted),
    ...lockStatements(tables, isCounted),
    ...endStatements(tables),
  };
}

function indexStatements({ sessions, indexes, ends }: SessionTables, isCounted: string) {
  // How many there are, and the ids of a page, those that live longest first. $1 values, $2 now, $3 limit, $4 offset
  const pageOf = (found: string): string => `
      WITH found AS (
        SELECT session_id, expiry_time, creation_time FROM ${found} AND expiry_time > $2 AND ${isCounted})
      SELECT (SELECT count(*) FROM found)::int,
             to_json(ARRAY(SELECT session_id FROM found ORDER BY expiry_time DESC, creation_time DESC LIMIT $3 OFFSET $4))::text`;
  return named({
    findByPrincipal: pageOf(`${sessions} WHERE principal_name = ANY ($1)`),

    // $5 name of the index
    findByIndex: pageOf(`
          ${indexes} JOIN ${sessions} ON primary_id = session_primary_id
         WHERE index_value = ANY ($1) AND index_name = $5`),

    // $1 primary id, $2 user or NULL
    setPrincipal: `UPDATE ${sessions} SET principal_name = $2 WHERE primary_id = $1`,

    // $1 primary id, $2 JSON: name and value, null = remove
    setIndexes: `
      WITH removed AS (
        DELETE FROM ${indexes} i USING json_each_text($2) change
         WHERE i.session_primary_id = $1 AND i.index_name = change.key AND change.value IS NULL
      )
      INSERT INTO ${indexes} (session_primary_id, index_name, index_value)
      SELECT $1, change.key, change.value FROM json_each_text($2) change WHERE change.value IS NOT NULL
      ON CONFLICT (session_primary_id, index_name) DO UPDATE SET index_value = excluded.index_value`,

    // Logins of one user come one after the other, until the end of the transaction. $1 table and user
    lockUser: `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`,

    takeEndReason: `DELETE FROM ${ends} WHERE session_id = ANY ($1) AND forget_time > $2 RETURNING reason`,
    forgetEnds: `DELETE FROM ${ends} WHERE forget_time <= $1`,
  });
}

/** Primary ids of sessions that are to end: nobody else changes them until the end of the transaction. */
function lockStatements({ sessions }: SessionTables, isCounted: string) {
  const select = `SELECT primary_id FROM ${sessions}`;
  return named({
    lockById: `${select} WHERE session_id = $1 FOR UPDATE`,

    // $1 id, $2 now
    lockIfExpired: `${select} WHERE session_id = $1 AND expiry_time <= $2 FOR UPDATE`,

    // $1 user, $2 ids that stay, $3 now. In one order, so that two of these do not wait for each other
    lockByPrincipal: `
      ${select}
       WHERE principal_name = ANY ($1) AND session_id <> ALL ($2) AND expiry_time > $3 AND ${isCounted}
       ORDER BY primary_id FOR UPDATE`,

    // All but those that were used last. $1 user, $2 primary id of the login, $3 now, $4 how many others stay
    lockSurplus: `
      ${select}
       WHERE primary_id IN (
         SELECT primary_id FROM ${sessions}
          WHERE principal_name = ANY ($1) AND primary_id <> $2 AND expiry_time > $3 AND ${isCounted}
          ORDER BY last_access_time DESC, creation_time DESC OFFSET $4)
       ORDER BY primary_id FOR UPDATE`,

    // Each worker takes others. $1 now
    lockExpired: `
      ${select} WHERE expiry_time <= $1
       ORDER BY expiry_time LIMIT 100 FOR UPDATE SKIP LOCKED`,
  });
}

/** Whether the session of a row has an attribute that is true. @param name - without quotes */
export function isMarked(attributes: string, name: string): string {
  return `EXISTS (
           SELECT 1 FROM ${attributes}
            WHERE session_primary_id = primary_id AND attribute_name = '${name}' AND attribute_bytes = 'true')`;
}

function endStatements(tables: SessionTables) {
  const { sessions, ends } = tables;
  return named({
    // $1 primary ids, $2 reason or '', $3 when to forget it, $4 type of the event or NULL = none, $5 attributes in the event
    end: `
      WITH ended AS (
        DELETE FROM ${sessions} WHERE primary_id = ANY ($1)
        RETURNING primary_id, session_id, creation_time, principal_name
      ), noted AS (
        INSERT INTO ${ends} (session_id, reason, forget_time)
        SELECT session_id, $2::text, $3::bigint FROM ended WHERE $2::text <> ''
        ON CONFLICT (session_id) DO UPDATE SET reason = excluded.reason, forget_time = excluded.forget_time
      ), told AS (
        ${tell(tables, { from: 'ended', type: '$4::text', previousId: 'NULL', reason: "NULLIF($2::text, '')", names: '$5' })}
         WHERE $4::text IS NOT NULL
      )
      SELECT session_id FROM ended`,

    // $1 primary id, $2 type of the event, $3 previous id or NULL, $4 attributes in the event
    tell:
      tell(tables, {
        from: sessions,
        type: '$2::text',
        previousId: '$3::text',
        reason: 'NULL',
        names: '$4',
      }) + ' WHERE s.primary_id = $1',
  });
}

/** Records an event of each row of `from`. The arguments are SQL; `names` = NULL for all attributes. */
function tell(
  { attributes, indexes, events }: SessionTables,
  values: Record<'from' | 'type' | 'previousId' | 'reason' | 'names', string>,
): string {
  const { from, type, previousId, reason, names } = values;
  return `
        INSERT INTO ${events}
          (type, session_id, previous_session_id, reason, creation_time, principal_name, index_values, attributes)
        SELECT ${type}, s.session_id, ${previousId}, ${reason}, s.creation_time, s.principal_name,
               (SELECT json_object_agg(index_name, index_value) FROM ${indexes}
                 WHERE session_primary_id = s.primary_id),
               (SELECT json_object_agg(attribute_name, encode(attribute_bytes, 'base64')) FROM ${attributes}
                 WHERE session_primary_id = s.primary_id
                   AND (${names}::text[] IS NULL OR attribute_name = ANY (${names}::text[])))
          FROM ${from} s`;
}
