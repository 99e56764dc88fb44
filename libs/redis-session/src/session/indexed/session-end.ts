/** Ms for which a session's client is told why somebody else has ended the session. */
export const REASON_LIFE_MS = 3_600_000;

/** Why the sessions end that are too many. */
export const MAXIMUM_SESSIONS_REASON = 'maximum-sessions';

/** Why sessions end. */
export interface SessionEnd {
  readonly type: 'deleted' | 'expired';
  /** For its client; '' = none. */
  readonly reason: string;
}
