import { type SessionTables } from './session-tables.js';
import { named } from './statements.js';

/** The statements that deliver events. Times are those of the server. */
export function eventStatements({ events, positions }: SessionTables) {
  const columns = `event_id::text, type, session_id, previous_session_id, reason, creation_time, principal_name,
             index_values::text, attributes::text, (extract(epoch FROM occurred_at) * 1000)::bigint`;
  return named({
    // Takes events for one replica. $1 how many, $2 seconds after which another replica takes them over
    take: `
      UPDATE ${events} SET taken_until = now() + make_interval(secs => $2), deliveries = deliveries + 1
       WHERE event_id IN (
         SELECT event_id FROM ${events}
          WHERE NOT is_handled AND (taken_until IS NULL OR taken_until <= now())
          ORDER BY event_id LIMIT $1 FOR UPDATE SKIP LOCKED)
      RETURNING ${columns}, deliveries`,

    // $1 event id
    drop: `DELETE FROM ${events} WHERE event_id = $1`,
    markHandled: `UPDATE ${events} SET is_handled = true WHERE event_id = $1`,

    // `ORDER BY transaction_id` alone would sort by the output column, a text: '10' before '9'.
    // Events of transactions that have ended, and before which none is under way: none of them can be missed.
    // $1 transaction and $2 event that were read last, $3 how many
    readAfter: `
      SELECT ${columns}, transaction_id::text FROM ${events}
       WHERE (transaction_id, event_id) > ($1::xid8, $2)
         AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
       ORDER BY ${events}.transaction_id, ${events}.event_id LIMIT $3`,

    lastPosition: `SELECT (pg_snapshot_xmin(pg_current_snapshot()))::text, '0'`,
    // $1 replica
    notedPosition: `SELECT transaction_id::text, event_id::text FROM ${positions} WHERE replica_name = $1`,
    // $1 replica, $2 transaction, $3 event
    notePosition: `
      INSERT INTO ${positions} (replica_name, transaction_id, event_id) VALUES ($1, $2, $3)
      ON CONFLICT (replica_name) DO UPDATE
         SET transaction_id = excluded.transaction_id, event_id = excluded.event_id, noted_at = now()
       WHERE (${positions}.transaction_id, ${positions}.event_id) < (excluded.transaction_id, excluded.event_id)`,

    // $1 how many events stay
    trim: `
      DELETE FROM ${events}
       WHERE event_id <= (SELECT max(event_id) FROM ${events}) - $1 OR occurred_at < now() - interval '1 day'`,
    forgetPositions: `DELETE FROM ${positions} WHERE noted_at < now() - interval '1 day'`,
  });
}
