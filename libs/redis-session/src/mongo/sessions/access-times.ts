import { type Filter, type UpdateFilter } from 'mongodb';
import { LruMap } from '../../lib/lru-map.js';
import { type SessionRepositoryOptions } from '../../session/repository-options.js';
import { type SessionTimes } from '../../session/session-times.js';
import { type SessionDocument, expireAtOf } from './session-document.js';

/** How many sessions are remembered: about 2 MB. */
const MAX_KNOWN = 10_000;

/**
 * Computes when a session ends that is accessed, before it is read: from its times as they were seen last, or as those of
 * most sessions are. The filter makes sure that they are so.
 */
export class AccessTimes {
  private readonly known = new LruMap<SessionTimes>(MAX_KNOWN);

  /** @param touchIntervalMs - between two records of one session */
  constructor(
    private readonly options: SessionRepositoryOptions,
    private readonly touchIntervalMs: number,
  ) {}

  /** @param times - as they are stored */
  remember(id: string, times: SessionTimes): void {
    const { creationTime, lastAccessedTime, maxInactiveInterval } = times;
    this.known.set(id, { creationTime, lastAccessedTime, maxInactiveInterval });
  }

  /** Whether a record of the access is due. */
  isDue({ lastAccessedTime }: SessionTimes, accessTimeMs: number): boolean {
    const sinceMs = accessTimeMs - lastAccessedTime;
    return sinceMs > 0 && sinceMs >= this.touchIntervalMs;
  }

  /** Whether an access is to be recorded, and {@link accessAt} computes the end of the session rightly. */
  expectedTimes(id: string, accessTimeMs: number): Filter<SessionDocument> {
    const known = this.known.get(id);
    const lastMs = Math.min(accessTimeMs - this.touchIntervalMs, accessTimeMs - 1);
    const lastAccessTime = { $lte: new Date(lastMs) };
    if (known) {
      const { creationTime, maxInactiveInterval } = known;
      return { lastAccessTime, maxInactiveInterval, creationTime: new Date(creationTime) };
    }
    const { absoluteTimeoutSeconds, maxInactiveIntervalSeconds } = this.options;
    const usual = { lastAccessTime, maxInactiveInterval: maxInactiveIntervalSeconds };
    if (absoluteTimeoutSeconds === undefined) return usual;
    if (maxInactiveIntervalSeconds < 0)
      return { ...usual, creationTime: { $gt: new Date(8.64e15) } };
    // The idle time ends before the absolute one.
    const createdMs = accessTimeMs + (maxInactiveIntervalSeconds - absoluteTimeoutSeconds) * 1000;
    return { ...usual, creationTime: { $gte: new Date(createdMs) } };
  }

  /** Records an access. */
  accessAt(id: string, accessTimeMs: number): UpdateFilter<SessionDocument> {
    const { creationTime, maxInactiveInterval } = this.known.get(id) ?? {
      creationTime: Infinity,
      maxInactiveInterval: this.options.maxInactiveIntervalSeconds,
    };
    const accessed = { creationTime, lastAccessedTime: accessTimeMs, maxInactiveInterval };
    return {
      $set: {
        lastAccessTime: new Date(accessTimeMs),
        expireAt: expireAtOf(accessed, this.options.absoluteTimeoutSeconds),
      },
    };
  }
}
