/** So many sessions are remembered at most: about 2 MB. */
const MAX_SESSIONS = 10_000;

/**
 * When this process last saw the access of a session recorded. As long as the next record is not due, a request reads its
 * session by a plain `HGETALL`, which costs Redis a fraction of a script; but for large ones that are known.
 */
export class RecordedAccesses {
  private readonly timesMs = new Map<string, number>();

  /** @param intervalMs - between two records of one session; 0 = every access is recorded */
  constructor(private readonly intervalMs: number) {}

  /** Whether an access at `accessTimeMs` (epoch) need not be recorded; false without a time. */
  isRecorded(id: string, accessTimeMs: number | undefined): boolean {
    if (this.intervalMs === 0 || accessTimeMs === undefined) return false;
    const recordedMs = this.timesMs.get(id);
    return recordedMs !== undefined && accessTimeMs - recordedMs < this.intervalMs;
  }

  /** @param timeMs - the last access as it is stored, epoch */
  remember(id: string, timeMs: number): void {
    if (this.intervalMs === 0) return;
    this.timesMs.set(id, timeMs);
    if (this.timesMs.size <= MAX_SESSIONS) return;
    for (const [oldest] of this.timesMs) {
      this.timesMs.delete(oldest);
      break;
    }
  }
}
