import { hostname } from 'node:os';
import { Cron } from 'croner';
import { z } from 'zod';
import {
  DEFAULT_INDEXED_REPOSITORY_OPTIONS,
  type ExpirationStoreKind,
  type RedisIndexedSessionRepositoryOptions,
} from '../../redis/indexed/redis-indexed-session-repository.options.js';
import { type SessionLimitPolicy } from '../../redis/indexed/session-limit.js';
import { type Authentication } from '../../security/authentication.js';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../../session/attribute-names.js';
import { type SecurityContext } from '../../security/security-context.js';
import { anyFunction, checkOptions } from '../../lib/check-options.js';
import { SessionEventDelivery } from '../../session/session-event.js';
import { principalNameOf, type SessionIndexResolver } from '../../session/session-view.js';

/** What `indexed` of the module's options takes, with `repository: 'indexed'`. The defaults are in {@link DEFAULT_INDEXED_OPTIONS}. */
export interface IndexedSessionOptions {
  /**
   * Only of `'minute-buckets'`: when the bucket of the minute is looked at, as a cron expression with or without seconds;
   * false = never. @defaultValue '0 * * * * *'
   */
  readonly cleanupCron?: string | false | undefined;
  /** Only of `'minute-buckets'`: whether `notify-keyspace-events` is set at start. @defaultValue true */
  readonly configuresNotifications?: boolean | undefined;
  /** Names of the session attributes that events carry. @defaultValue 'all' */
  readonly eventAttributes?: 'all' | readonly string[] | undefined;
  /**
   * `'once'`: one replica handles each event; `'broadcast'`: every replica does; `'none'`: none are recorded, and
   * `@OnSessionEvent` is refused. @defaultValue 'none'
   */
  readonly eventDelivery?: SessionEventDelivery | undefined;
  /** How the end of sessions is found; `'minute-buckets'` is Spring's algorithm in Spring's keys. @defaultValue 'sorted-set' */
  readonly expirationStore?: ExpirationStoreKind | undefined;
  /** More indexes beside that of the user's name. @defaultValue {} */
  readonly indexes?: Readonly<Record<string, SessionIndexResolver>> | undefined;
  /** About how many events are kept at most. @defaultValue 200000 */
  readonly maxEvents?: number | undefined;
  /** How many sessions a user may have, for all users or by the user; -1 = unlimited. @defaultValue -1 */
  readonly maximumSessions?: number | ((authentication: Authentication) => number) | undefined;
  /**
   * What becomes of a login beyond it: `'expire-oldest'` ends the session whose last access is longest ago,
   * `'reject-login'` answers 401. @defaultValue 'expire-oldest'
   */
  readonly maximumSessionsPolicy?: SessionLimitPolicy | undefined;
  /** Over how many Redis Cluster slots sessions are spread; changing it loses all sessions. @defaultValue 16 */
  readonly partitions?: number | undefined;
  /** The user's name, under which sessions are found. @defaultValue that of the authentication */
  readonly principalName?: SessionIndexResolver | undefined;
  /** Unlike that of any other replica that runs; one that restarts under it misses no broadcast. @defaultValue the host's name */
  readonly replicaName?: string | undefined;
  /** Seconds that an expired session waits in Redis for its end to be reported. @defaultValue 86400 */
  readonly retentionSeconds?: number | undefined;
  /** Whether this replica looks for sessions that have ended; one of all must. @defaultValue true */
  readonly runsWorker?: boolean | undefined;
}

/** The options of the indexed repository with their defaults. */
export interface ResolvedIndexedOptions extends Pick<
  RedisIndexedSessionRepositoryOptions,
  | 'cleanupCron'
  | 'configuresNotifications'
  | 'eventAttributes'
  | 'eventDelivery'
  | 'expirationStore'
  | 'indexes'
  | 'maxEvents'
  | 'maximumSessions'
  | 'maximumSessionsPolicy'
  | 'partitions'
  | 'principalName'
  | 'retentionSeconds'
> {
  readonly replicaName: string;
  readonly runsWorker: boolean;
}

const { cleanupCron, configuresNotifications, eventAttributes, eventDelivery } =
  DEFAULT_INDEXED_REPOSITORY_OPTIONS;
const { expirationStore, maxEvents, maximumSessionsPolicy, partitions, retentionSeconds } =
  DEFAULT_INDEXED_REPOSITORY_OPTIONS;

/** The default of every option of {@link IndexedSessionOptions}. */
export const DEFAULT_INDEXED_OPTIONS = {
  ...{ cleanupCron, configuresNotifications, eventAttributes, eventDelivery },
  ...{ expirationStore, maxEvents, maximumSessionsPolicy, partitions, retentionSeconds },
  indexes: {},
  maximumSessions: -1,
  principalName: principalNameOf,
  replicaName: hostname(),
  runsWorker: true,
} as const satisfies IndexedSessionOptions;

const positive = z.int().positive();

const schema = z.strictObject({
  cleanupCron: z
    .union([z.literal(false), z.string().refine(isCron)])
    .describe('a cron expression or false'),
  configuresNotifications: z.boolean().describe('true or false'),
  eventAttributes: z
    .union([z.literal('all'), z.array(z.string())])
    .describe('"all" or a list of names'),
  eventDelivery: z.enum(SessionEventDelivery).describe('"none", "once" or "broadcast"'),
  expirationStore: z
    .enum(['sorted-set', 'minute-buckets'])
    .describe('"sorted-set" or "minute-buckets"'),
  indexes: z.record(z.string(), anyFunction).describe('an object of functions'),
  maxEvents: positive.describe('a positive integer'),
  maximumSessions: z
    .union([positive, z.literal(-1), anyFunction])
    .describe('-1 (unlimited), a positive integer or a function'),
  maximumSessionsPolicy: z
    .enum(['expire-oldest', 'reject-login'])
    .describe('"expire-oldest" or "reject-login"'),
  partitions: positive.describe('a positive integer'),
  principalName: anyFunction.describe('a function that returns a string or undefined'),
  replicaName: z.string().min(1).describe('a string that is not empty'),
  retentionSeconds: positive.describe('a positive integer'),
  runsWorker: z.boolean().describe('true or false'),
});

/** @throws SessionOptionError for the first option that is unknown or wrong */
export function resolveIndexedSessionOptions(
  options: IndexedSessionOptions,
): ResolvedIndexedOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const merged = { ...DEFAULT_INDEXED_OPTIONS, ...Object.fromEntries(given) };
  checkOptions(schema, merged, { prefix: 'indexed.' });
  const resolved = merged as Omit<ResolvedIndexedOptions, 'maximumSessions'> &
    Pick<IndexedSessionOptions, 'maximumSessions'>;
  return {
    ...resolved,
    maximumSessions: limitOf(resolved.maximumSessions ?? -1),
  };
}

function limitOf(
  maximumSessions: number | ((authentication: Authentication) => number),
): ResolvedIndexedOptions['maximumSessions'] {
  if (typeof maximumSessions === 'number') return maximumSessions;
  return (session) => {
    const context = session.getAttribute<SecurityContext>(SECURITY_CONTEXT_ATTRIBUTE);
    return context?.authentication ? maximumSessions(context.authentication) : -1;
  };
}

function isCron(expression: string): boolean {
  try {
    return new Cron(expression).nextRun() !== null;
  } catch {
    return false;
  }
}
