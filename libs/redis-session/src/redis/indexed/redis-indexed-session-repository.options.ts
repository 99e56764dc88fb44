import { Cron } from 'croner';
import { z } from 'zod';
import {
  type ResolvedOptionsOf,
  flagOption,
  functionOption,
  positiveOption,
  refuseContradictions,
  resolveOptionGroup,
} from '../../lib/option-group.js';
import { SessionEventDelivery } from '../../session/session-event.js';
import { type SessionIndexResolver, principalNameOf } from '../../session/session-store.js';
import { type SessionView } from '../../session/session.js';
import {
  type RedisSessionRepositoryOptions,
  redisRepositoryOptionGroup,
} from '../sessions/redis-session-repository.js';

const indexNames = z.string().regex(/^(?!principal$)[\w-]+$/);

/** An option that says how many sessions a user may have, for all users or by a function. */
export function limitOption<ByUser>() {
  return z
    .union([positiveOption, z.literal(-1), functionOption<ByUser>()])
    .describe('-1 (unlimited), a positive integer or a function');
}

/** The options of an index, of the events and of the end of sessions. */
export const indexedOptions = {
  /**
   * When `'minute-buckets'` looks at the bucket of the minute: a cron expression, with or without seconds. False means
   * never.
   */
  cleanupCron: z
    .union([z.string().refine(isCron).describe('a cron expression'), z.literal(false)])
    .default('0 * * * * *'),
  /** Whether `'minute-buckets'` sets `notify-keyspace-events` on each new connection. Managed Redis may refuse it. */
  configuresNotifications: flagOption.default(true),
  /** Names of the attributes that events carry. They stay in Redis until the event is handled or trimmed. */
  eventAttributes: z
    .union([z.literal('all'), z.array(z.string()).readonly().describe('a list of names')])
    .default('all'),
  /**
   * `'once'`: one replica handles each event. `'broadcast'`: every replica does. `'none'`: no event is recorded, and
   * `@OnSessionEvent` is refused.
   */
  eventDelivery: z.enum(SessionEventDelivery).default(SessionEventDelivery.None),
  /** How the library finds expired sessions. `'minute-buckets'` is the algorithm of Spring, with its keys. */
  expirationStore: z.enum(['sorted-set', 'minute-buckets']).default('sorted-set'),
  /** More indexes, by name. Each function runs at every save and must depend on the session alone. */
  indexes: z
    .record(indexNames, functionOption<SessionIndexResolver>())
    .describe(
      'an object of functions, with names of letters, digits, "-" and "_" other than "principal"',
    )
    .default({}),
  /** About how many events are kept at most, over all partitions. The oldest are dropped. */
  maxEvents: positiveOption.default(200_000),
  /** How many sessions a user may have. -1 means any number. */
  maximumSessions: limitOption<(session: SessionView) => number>().default(-1),
  /**
   * What happens to a login beyond `maximumSessions`: `'expire-oldest'` ends the least recently used session,
   * `'reject-login'` answers 401.
   */
  maximumSessionsPolicy: z.enum(['expire-oldest', 'reject-login']).default('expire-oldest'),
  /** Number of Redis Cluster slots that sessions are spread over. Changing it loses all sessions. */
  partitions: positiveOption.default(16),
  /** Returns the user's name, under which sessions are found. */
  principalName: functionOption<SessionIndexResolver>(
    'a function that returns a string or undefined',
  ).default(() => principalNameOf),
  /** Seconds that an expired session waits in Redis until a worker reports its end. */
  retentionSeconds: positiveOption.default(86_400),
};

const group = redisRepositoryOptionGroup.extend(indexedOptions);

/** The options that a `RedisIndexedSessionRepository` takes. */
export interface RedisIndexedSessionRepositoryOptions
  extends RedisSessionRepositoryOptions, ResolvedOptionsOf<typeof group> {}

/** What Spring adds to the interval: its hashes live five minutes longer than their sessions. */
const MINUTE_BUCKET_RETENTION_SECONDS = 300;

/**
 * Fills in the defaults. `'minute-buckets'` always has Spring's keys and its five minutes of retention.
 *
 * @throws SessionOptionError naming the option
 */
export function resolveIndexedOptions(
  options: Partial<RedisIndexedSessionRepositoryOptions>,
): RedisIndexedSessionRepositoryOptions {
  const names = Object.keys(group.shape);
  const own = Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
  const resolved = resolveOptionGroup(group, own);
  refuseAtRestContradictions(resolved);
  return resolved.expirationStore === 'sorted-set'
    ? resolved
    : { ...resolved, partitions: 0, retentionSeconds: MINUTE_BUCKET_RETENTION_SECONDS };
}

/** Spring decodes every field, and makes keys of ids as they are. @throws SessionOptionError */
function refuseAtRestContradictions({
  encryption,
  expirationStore,
  hashIds,
}: RedisIndexedSessionRepositoryOptions): void {
  const given = encryption ? 'encryption' : hashIds !== false ? 'hashIds' : undefined;
  refuseContradictions({
    [`${given} must be left out when indexed.expirationStore is "minute-buckets", whose sessions Spring reads, too. Leave one out.`]:
      given !== undefined && expirationStore === 'minute-buckets',
    'encryption.indexKey must be given when repository is "indexed": it hides user names in the index. Set it to 32 random bytes in base64 that are no other key.':
      encryption !== undefined && encryption.indexKey === undefined,
  });
}

function isCron(expression: string): boolean {
  try {
    return new Cron(expression).nextRun() !== null;
  } catch {
    return false;
  }
}
