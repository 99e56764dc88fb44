import { RecordedAccesses } from '../../session/recorded-accesses.js';
import { DATA_KEY_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { type SessionsAtRest } from '../../session/at-rest/sessions-at-rest.js';
import { withDeadline } from '../../lib/store-operation.js';
import {
  type ExpirationStore,
  SortedSetExpirationStore,
} from '../expiration/sorted-set-expiration-store.js';
import { IndexedSessionCommands } from './indexed-session.commands.js';
import { type IndexedCommandOptions } from './indexed-session-saves.js';
import { indexedSessionKeys, type IndexedSessionKeys } from './indexed-session.keys.js';
import { REASON_LIFE_MS } from '../../session/session-event.js';
import { PRINCIPAL_INDEX } from '../../session/indexed/session-indexing.js';
import { MinuteBucketExpirationStore } from '../expiration/minute-bucket-expiration-store.js';
import { type RedisIndexedSessionRepositoryOptions } from './redis-indexed-session-repository.options.js';
import { ownTouchIntervalSeconds, type RedisClient, takeText } from '../client/redis-client.js';
import { SessionIndex } from './session-index.js';
import { SessionIndexing } from './session-indexing.js';

/** The parts of an indexed repository, which work on the same keys. */
export interface IndexedStore {
  readonly accesses: RecordedAccesses;
  readonly client: RedisClient;
  readonly commands: IndexedSessionCommands;
  readonly expiration: ExpirationStore;
  readonly index: SessionIndex;
  readonly indexing: SessionIndexing;
  readonly keys: IndexedSessionKeys;
  takeEndReason(id: string): Promise<string | undefined>;
}

/** Ms after which requests renew index entries themselves: no worker has done it. */
const INDEX_DELAY_MS = 300_000;

/** Makes the parts by `options`. */
export function createIndexedStore(
  client: RedisClient,
  options: RedisIndexedSessionRepositoryOptions,
  atRest: SessionsAtRest,
): IndexedStore {
  const { clock, commandTimeoutMs, logger, namespace } = options;
  const keys = indexedSessionKeys(namespace, options.partitions);
  const commandOptions = toCommandOptions(options, keys.partitions.length);
  const commands = new IndexedSessionCommands(client, keys, commandOptions);
  const index = new SessionIndex(client, keys, commandTimeoutMs);
  const resolvers = { ...options.indexes, [PRINCIPAL_INDEX]: options.principalName };
  const indexing = new SessionIndexing(index, resolvers, atRest);
  const input = { client, clock, commands, commandTimeoutMs, indexing, keys, logger };
  const { absoluteTimeoutMs } = commandOptions;
  const { cleanupCron, configuresNotifications } = options;
  const expiration =
    options.expirationStore === 'sorted-set'
      ? new SortedSetExpirationStore(input)
      : new MinuteBucketExpirationStore({
          ...input,
          ...{ absoluteTimeoutMs, cleanupCron, configuresNotifications, namespace },
        });
  const takeEndReason = async (id: string) => {
    const reason = takeText(client, keys.ended(id));
    return (await withDeadline('read why a session ended', commandTimeoutMs, reason)) ?? undefined;
  };
  const accesses = new RecordedAccesses(ownTouchIntervalSeconds(client, options));
  return { accesses, client, commands, expiration, index, indexing, keys, takeEndReason };
}

function toCommandOptions(
  options: RedisIndexedSessionRepositoryOptions,
  partitionCount: number,
): IndexedCommandOptions {
  const { absoluteTimeoutSeconds, commandTimeoutMs, encryption } = options;
  const { eventAttributes: names } = options;
  const eventAttributes = names === 'all' || !encryption ? names : [...names, DATA_KEY_ATTRIBUTE];
  return {
    absoluteTimeoutMs: absoluteTimeoutSeconds === undefined ? -1 : absoluteTimeoutSeconds * 1000,
    commandTimeoutMs,
    eventAttributes,
    maxEventsPerPartition:
      options.eventDelivery === 'none' ? 0 : Math.ceil(options.maxEvents / partitionCount),
    hasExpirations: options.expirationStore === 'sorted-set',
    indexDelayMs: INDEX_DELAY_MS,
    indexNames: [...Object.keys(options.indexes), PRINCIPAL_INDEX],
    reasonLifeMs: REASON_LIFE_MS,
    retentionMs: options.retentionSeconds * 1000,
    sharedCommands: options.sharedCommands,
    touchIntervalMs: (options.touchIntervalSeconds ?? 0) * 1000,
  };
}
