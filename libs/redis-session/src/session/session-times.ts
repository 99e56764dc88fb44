import { readable } from '../lib/logger.js';
import { SessionOptionError } from './session.errors.js';

/** The times that decide when a session ends. */
export interface SessionTimes {
  /** Epoch ms. */
  readonly creationTime: number;
  /** Epoch ms. */
  readonly lastAccessedTime: number;
  /** Seconds; -1 = never. */
  readonly maxInactiveInterval: number;
}

/** @returns epoch ms at which the session ends (that instant included), Infinity when never */
export function expiryTimeMs(times: SessionTimes, absoluteTimeoutSeconds?: number): number {
  const idle =
    times.maxInactiveInterval < 0
      ? Infinity
      : times.lastAccessedTime + times.maxInactiveInterval * 1000;
  const absolute =
    absoluteTimeoutSeconds === undefined
      ? Infinity
      : times.creationTime + absoluteTimeoutSeconds * 1000;
  return Math.min(idle, absolute);
}

/** `session` as it is after an access at `timeMs` (epoch). An earlier time than the last access changes nothing. */
export function accessedAt<S extends SessionTimes>(session: S, timeMs: number): S {
  return { ...session, lastAccessedTime: Math.max(session.lastAccessedTime, timeMs) };
}

/** @throws SessionOptionError unless `seconds` can be a session's maxInactiveIntervalSeconds: whole, not 0; negative = never */
export function refuseUnlessInterval(seconds: number): void {
  if (Number.isSafeInteger(seconds) && seconds !== 0) return;
  throw new SessionOptionError(
    `maxInactiveIntervalSeconds must be a positive integer, or a negative one (never), got ${readable(String(seconds))}.`,
  );
}
