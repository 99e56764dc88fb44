import { digestOf } from '../session/session-id.js';
import { type Statement } from './postgres-client.js';
import { type SessionTables } from './session-tables.js';

/** What "never" is in the column `expiry_time`. */
export const NEVER = '9223372036854775807';

/** When a session ends: epoch ms. `absolute` = its longest life in ms, or NULL, which LEAST passes over. */
const expiryOf = (created: string, accessed: string, interval: string, absolute: string): string =>
  `LEAST(CASE WHEN ${interval} < 0 THEN ${NEVER} ELSE ${accessed} + ${interval}::bigint * 1000 END, ${created} + ${absolute})`;

/**
 * The statements for the sessions themselves. Times are epoch ms, on the clock of the repository.
 *
 * @param isIndexed - reads also return what the indexes hold of a session
 */
export function sessionStatements(tables: SessionTables, isIndexed: boolean) {
  return {
    ...readStatements(tables, isIndexed),
    ...writeStatements(tables),
    ...deleteStatements(tables),
  };
}

function readStatements({ sessions, attributes, indexes }: SessionTables, isIndexed: boolean) {
  const indexValues = `
           , s.principal_name,
           (SELECT json_object_agg(index_name, index_value)::text
              FROM ${indexes} WHERE session_primary_id = s.primary_id)`;
  const select = `
    SELECT s.session_id, s.creation_time, s.last_access_time, s.max_inactive_interval, s.expiry_time,
           (SELECT json_object_agg(attribute_name, convert_from(attribute_bytes, 'UTF8'))::text
              FROM ${attributes} WHERE session_primary_id = s.primary_id)${isIndexed ? indexValues : ''}
      FROM ${sessions} s`;
  // $1 id, $2 time of the access, $3 now, $4 ms between two records, $5 longest life
  const touch = `
    WITH touched AS (
      UPDATE ${sessions}
         SET last_access_time = $2,
             expiry_time = ${expiryOf('creation_time', '$2', 'max_inactive_interval', '$5')}
       WHERE session_id = $1 AND expiry_time > $3 AND last_access_time + $4 <= $2 AND last_access_time < $2
    )`;
  return named({
    // $1 JSON: ids. Each by the index, also while there are no statistics; varchar suits columns of each type
    read: `
    SELECT found.* FROM json_array_elements_text($1) wanted_id, LATERAL (${select}
     WHERE s.session_id = wanted_id::varchar LIMIT 1) found`,

    readAndTouch: `${touch} ${select} WHERE s.session_id = $1`,

    // $1 primary id, $2 names
    readAttributes: `
      SELECT attribute_name, convert_from(attribute_bytes, 'UTF8') FROM ${attributes}
       WHERE session_primary_id = $1 AND attribute_name = ANY ($2)`,
  });
}

function writeStatements({ sessions, attributes }: SessionTables) {
  const written = writtenTexts(attributes);
  const removed = removedTexts(attributes);

  // $1 id, $2 created, $3 accessed, $4 interval, $5 end, $6 attributes. is_created: for the first time
  const insert = `
      WITH session AS (
        INSERT INTO ${sessions} AS s
          (primary_id, session_id, creation_time, last_access_time, max_inactive_interval, expiry_time)
        VALUES (gen_random_uuid(), $1, $2, $3, $4, $5)
        ON CONFLICT (session_id) DO UPDATE
           SET last_access_time = excluded.last_access_time, expiry_time = excluded.expiry_time,
               max_inactive_interval = excluded.max_inactive_interval
        RETURNING primary_id, s.xmax = 0 AS is_created
      ), ${written}`;

  // $1 stored id, $2 id, $3 accessed, $4 interval or NULL, $5 longest life, $6 attributes, $7 now. No row = nothing written
  const update = `
      WITH session AS (
        UPDATE ${sessions}
           SET session_id = $2, last_access_time = GREATEST(last_access_time, $3),
               max_inactive_interval = COALESCE($4, max_inactive_interval),
               expiry_time = ${expiryOf('creation_time', 'GREATEST(last_access_time, $3)', 'COALESCE($4, max_inactive_interval)', '$5')}
         WHERE session_id IN ($1, $2) AND expiry_time > $7
        RETURNING primary_id, false AS is_created
      ), ${written}`;
  const result = ' SELECT primary_id, is_created FROM session';

  return named({
    insert: insert + result,
    insertAndRemove: `${insert}, ${removed} ${result}`,
    update: update + result,
    updateAndRemove: `${update}, ${removed} ${result}`,

    // Only the attributes, when the access is recorded already. $1 id, $2 now, $3 attributes. No row = nothing written
    updateAttributes: `
      WITH session AS (
        SELECT primary_id FROM ${sessions} WHERE session_id = $1 AND expiry_time > $2
           FOR NO KEY UPDATE
      ), ${writtenTexts(attributes, '$3')}
      SELECT primary_id FROM session`,

    // Until the end of the transaction, nobody else changes the session. $1 stored id, $2 id, $3 now
    lock: `
      SELECT primary_id, session_id FROM ${sessions}
       WHERE session_id IN ($1, $2) AND expiry_time > $3
         FOR UPDATE`,
  });
}

/** Writes attributes of the row `session`. @param texts - JSON: text by name, null = leave out */
function writtenTexts(attributes: string, texts = '$6'): string {
  return `
    written AS (
      INSERT INTO ${attributes} (session_primary_id, attribute_name, attribute_bytes)
      SELECT s.primary_id, change.key, convert_to(change.value, 'UTF8')
        FROM session s, json_each_text(${texts}) change
       WHERE change.value IS NOT NULL
      ON CONFLICT (session_primary_id, attribute_name)
      DO UPDATE SET attribute_bytes = excluded.attribute_bytes
    )`;
}

/** Removes attributes of the row `session`: those that are null in the JSON $6. */
function removedTexts(attributes: string): string {
  return `
    removed AS (
      DELETE FROM ${attributes} a USING session s, json_each_text($6) change
       WHERE a.session_primary_id = s.primary_id AND a.attribute_name = change.key AND change.value IS NULL
    )`;
}

function deleteStatements({ sessions }: SessionTables) {
  return named({
    delete: `DELETE FROM ${sessions} WHERE session_id = $1`,

    // $1 id, $2 now
    deleteIfExpired: `DELETE FROM ${sessions} WHERE session_id = $1 AND expiry_time <= $2`,

    // A batch of those whose end has come. $1 now
    deleteExpired: `
      DELETE FROM ${sessions}
       WHERE primary_id IN (
         SELECT primary_id FROM ${sessions} WHERE expiry_time <= $1
          ORDER BY expiry_time LIMIT 100 FOR UPDATE SKIP LOCKED)
      RETURNING 1`,
  });
}

/** The statements by name. A digest tells those of several stores on one connection apart. */
export function named<Name extends string>(
  texts: Readonly<Record<Name, string>>,
): Record<Name, Statement> {
  const entries = Object.entries<string>(texts).map(([name, text]) => [
    name,
    { name: `nest_session_${name}_${digestOf(text).slice(0, 8)}`, text: text.trim() },
  ]);
  return Object.fromEntries(entries) as Record<Name, Statement>;
}
