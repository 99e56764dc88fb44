import { type Cluster, type Redis } from 'ioredis';
import { LruMap } from '../../lib/lru-map.js';
import { readsFromReplicas } from '../client/redis-client.js';
import { type SessionTimes } from '../../session/session-change.js';

/** How many sessions are remembered: about 2 MB. */
const MAX_SESSIONS = 10_000;

/** Ms between two records of one session, unless an option says otherwise. */
const DEFAULT_INTERVAL_MS = 1000;

/** An idle time of 10 s gives 100 ms between two records: a session ends at most 1 % of its idle time earlier. */
const DEFAULT_INTERVAL_MS_PER_IDLE_SECOND = 10;

/**
 * Remembers when this process last saw an access of each session recorded. While the next record is not due, a request
 * reads its session with a plain `HGETALL`: less than half of what the script costs Redis, which reads and records.
 */
export class RecordedAccesses {
  private readonly nextMs = new LruMap<number>(MAX_SESSIONS);

  /** @param intervalMs - between two records of one session; 0 = every access is recorded; undefined = see above */
  constructor(private readonly intervalMs: number | undefined) {}

  /** Whether an access at `accessTimeMs` (epoch) need not be recorded. */
  isRecorded(id: string, accessTimeMs: number): boolean {
    const nextMs = this.nextMs.get(id);
    return nextMs !== undefined && accessTimeMs < nextMs;
  }

  /** @param stored - the times as they are stored */
  remember(id: string, stored: SessionTimes): void {
    const intervalMs = this.intervalMs ?? defaultIntervalMs(stored);
    if (intervalMs > 0) this.nextMs.set(id, stored.lastAccessedTime + intervalMs);
  }
}

function defaultIntervalMs({ maxInactiveInterval }: SessionTimes): number {
  if (maxInactiveInterval < 0) return DEFAULT_INTERVAL_MS;
  return Math.min(DEFAULT_INTERVAL_MS, maxInactiveInterval * DEFAULT_INTERVAL_MS_PER_IDLE_SECOND);
}

/** @param touchIntervalSeconds - 0 = every access is recorded; a replica may not know the last record, so it counts as 0 */
export function recordedAccesses(
  client: Redis | Cluster,
  touchIntervalSeconds: number | undefined,
): RecordedAccesses {
  if (readsFromReplicas(client)) return new RecordedAccesses(0);
  return new RecordedAccesses(
    touchIntervalSeconds === undefined ? undefined : touchIntervalSeconds * 1000,
  );
}
