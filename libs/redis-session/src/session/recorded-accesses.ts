import { LruMap } from '../lib/lru-map.js';
import { type SessionChange } from './session-change.js';
import { type SessionTimes } from './session-times.js';

/** How many sessions are remembered: about 2 MB. */
const MAX_SESSIONS = 10_000;

/** Ms between two records of one session, unless an option says otherwise. */
const DEFAULT_INTERVAL_MS = 1000;

/** An idle time of 10 s gives 100 ms between two records: a session ends at most 1 % of its idle time earlier. */
const DEFAULT_INTERVAL_MS_PER_IDLE_SECOND = 10;

/**
 * Remembers when this process last saw an access of each session recorded. While the next record is not due, a request
 * only reads its session. That costs a store less than half of a read that also records.
 */
export class RecordedAccesses {
  private readonly nextMs = new LruMap<number>(MAX_SESSIONS);

  private readonly intervalMs: number | undefined;

  /** @param intervalSeconds - between two records of one session; 0 = every access is recorded; undefined = see above */
  constructor(intervalSeconds: number | undefined) {
    this.intervalMs = intervalSeconds === undefined ? undefined : intervalSeconds * 1000;
  }

  /** Whether an access at `accessTimeMs` (epoch) need not be recorded. */
  isRecorded(id: string, accessTimeMs: number): boolean {
    const nextMs = this.intervalMs === 0 ? undefined : this.nextMs.peek(id);
    return nextMs !== undefined && accessTimeMs < nextMs;
  }

  /**
   * Whether a save need not record an access at `accessTimeMs` (epoch). An interval that an option sets holds for reads
   * alone: then a save records each access that the store does not know.
   */
  isSaved(id: string, accessTimeMs: number): boolean {
    const nextMs = this.nextMs.peek(id);
    if (nextMs === undefined) return false;
    return accessTimeMs < (this.intervalMs === undefined ? nextMs : nextMs - this.intervalMs + 1);
  }

  /** @param stored - the times as they are stored */
  remember(id: string, stored: SessionTimes): void {
    const intervalMs = this.intervalMs ?? defaultIntervalMs(stored);
    this.nextMs.set(id, stored.lastAccessedTime + intervalMs);
  }

  /** After a save under a new id, which has recorded the access. @param maxInactiveIntervalSeconds - of the session */
  rememberSaved(change: SessionChange, maxInactiveIntervalSeconds: number | undefined): void {
    const { isNew, id, storedId } = change;
    const maxInactiveInterval = change.maxInactiveInterval ?? maxInactiveIntervalSeconds;
    if ((isNew || id !== storedId) && maxInactiveInterval !== undefined)
      this.remember(id, { ...change, maxInactiveInterval });
  }
}

function defaultIntervalMs({ maxInactiveInterval }: SessionTimes): number {
  if (maxInactiveInterval < 0) return DEFAULT_INTERVAL_MS;
  return Math.min(DEFAULT_INTERVAL_MS, maxInactiveInterval * DEFAULT_INTERVAL_MS_PER_IDLE_SECOND);
}
