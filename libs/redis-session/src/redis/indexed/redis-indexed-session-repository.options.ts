import { principalNameOf, type SessionIndexResolver } from '../../session/session-view.js';
import { SessionEventDelivery } from '../../session/session-event.js';
import { SessionOptionError } from '../../session/session.errors.js';
import {
  DEFAULT_REDIS_REPOSITORY_OPTIONS,
  type RedisSessionRepositoryOptions,
} from '../sessions/redis-session-repository.js';

import { type MaximumSessions, type SessionLimitPolicy } from './session-limit.js';

/** How the end of a session is found: see `SortedSetExpirationStore` and `MinuteBucketExpirationStore`. */
export type ExpirationStoreKind = 'sorted-set' | 'minute-buckets';

/** What a `RedisIndexedSessionRepository` is told beside {@link RedisSessionRepositoryOptions}. */
export interface RedisIndexedSessionRepositoryOptions extends RedisSessionRepositoryOptions {
  /**
   * Only of `'minute-buckets'`: when the bucket of the minute is looked at, as a cron expression with or without seconds;
   * false = never. @defaultValue '0 * * * * *'
   */
  readonly cleanupCron: string | false;
  /**
   * Only of `'minute-buckets'`: whether `notify-keyspace-events` is set at start. Managed Redis may refuse it.
   * @defaultValue true
   */
  readonly configuresNotifications: boolean;
  /**
   * Names of the session attributes that events carry; they stay in Redis until the event is handled or trimmed.
   * @defaultValue 'all'
   */
  readonly eventAttributes: 'all' | readonly string[];
  /** `'none'` records no events. @defaultValue 'none' */
  readonly eventDelivery: SessionEventDelivery;
  /** @defaultValue 'sorted-set' */
  readonly expirationStore: ExpirationStoreKind;
  /**
   * More indexes beside that of the principal, by name (letters, digits, `-`, `_`). A function is called at each save and
   * must depend on the session alone.
   * @defaultValue none
   */
  readonly indexes: Readonly<Record<string, SessionIndexResolver>>;
  /** About how many events are kept at most, over all partitions. The oldest are dropped. @defaultValue 200000 */
  readonly maxEvents: number;
  /**
   * How many sessions a user may have, or a function of the session that is about to begin; -1 = unlimited.
   * @defaultValue -1
   */
  readonly maximumSessions: MaximumSessions;
  /**
   * What becomes of a login beyond `maximumSessions`: it ends the session whose last access is longest ago, or is refused.
   * @defaultValue 'expire-oldest'
   */
  readonly maximumSessionsPolicy: SessionLimitPolicy;
  /**
   * Over how many Redis Cluster slots sessions are spread. Must be the same for all replicas, and changing it loses all
   * sessions. `'minute-buckets'` has none.
   * @defaultValue 16
   */
  readonly partitions: number;
  /** @defaultValue `principalNameOf` */
  readonly principalName: SessionIndexResolver;
  /**
   * Seconds that an expired session waits in Redis for a worker to report its end. Later its event carries the id alone.
   * @defaultValue 86400
   */
  readonly retentionSeconds: number;
}

/** The defaults of {@link RedisIndexedSessionRepositoryOptions}. */
export const DEFAULT_INDEXED_REPOSITORY_OPTIONS: RedisIndexedSessionRepositoryOptions = {
  ...DEFAULT_REDIS_REPOSITORY_OPTIONS,
  cleanupCron: '0 * * * * *',
  configuresNotifications: true,
  eventAttributes: 'all',
  eventDelivery: SessionEventDelivery.None,
  expirationStore: 'sorted-set',
  indexes: {},
  maxEvents: 200_000,
  maximumSessions: -1,
  maximumSessionsPolicy: 'expire-oldest',
  partitions: 16,
  principalName: principalNameOf,
  retentionSeconds: 86_400,
};

/** What Spring adds to the interval: its hashes live five minutes longer than their sessions. */
const MINUTE_BUCKET_RETENTION_SECONDS = 300;

/**
 * Fills in the defaults; `'minute-buckets'` has Spring's keys and its five minutes of retention whatever is said.
 *
 * @throws SessionOptionError
 */
export function resolveIndexedOptions(
  options: Partial<RedisIndexedSessionRepositoryOptions>,
): RedisIndexedSessionRepositoryOptions {
  const resolved = { ...DEFAULT_INDEXED_REPOSITORY_OPTIONS, ...options };
  refuseUnlessPositive('maxEvents', resolved.maxEvents);
  refuseUnlessPositive('partitions', resolved.partitions);
  refuseUnlessPositive('retentionSeconds', resolved.retentionSeconds);
  const { maximumSessions } = resolved;
  if (typeof maximumSessions === 'number' && maximumSessions !== -1)
    refuseUnlessPositive('maximumSessions', maximumSessions);
  for (const name of Object.keys(resolved.indexes)) {
    if (/^[\w-]+$/.test(name) && name !== 'principal') continue;
    throw new SessionOptionError(
      `indexes must have names of letters, digits, "-" and "_" other than "principal", got ${JSON.stringify(name)}.`,
    );
  }
  return resolved.expirationStore === 'sorted-set'
    ? resolved
    : { ...resolved, partitions: 0, retentionSeconds: MINUTE_BUCKET_RETENTION_SECONDS };
}

function refuseUnlessPositive(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new SessionOptionError(`${name} must be a positive integer, got ${value}.`);
}
