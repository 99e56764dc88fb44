import { setImmediate as endOfTurn, setTimeout as delay } from 'node:timers/promises';
import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { SessionStoreError } from '../../session/session.errors.js';
import { withDeadline, withoutCommand } from '../../lib/store-operation.js';
import { leaveDemotedMaster } from './redis-server.js';

/** A client for one server, for Sentinel, or for a Redis Cluster. */
export type RedisClient = Redis | Cluster;

/** Where Redis is: a url, ioredis options (Sentinel among them), the nodes of a Redis Cluster, or a client of yours. */
export type RedisConnection =
  | string
  | RedisOptions
  | {
      /** Some nodes of the cluster. The client learns the others from them. */
      readonly nodes: readonly ClusterNode[];
      /** Options of ioredis for the cluster. */
      readonly options?: ClusterOptions;
    }
  | RedisClient;

/** A client, and whether it is ours to close. */
export interface OpenRedisClient {
  readonly client: RedisClient;
  readonly isOwn: boolean;
}

/**
 * Makes the client, or takes the given one as it is. A client of ours leaves a server that stops answering, and connects
 * again at once: a command waits for that first attempt. As long as attempts fail no command waits, so that an outage is
 * seen at once. Redis' return is found within half a second.
 *
 * @param commandTimeoutMs - also the time that one attempt to connect may take
 */
export function createRedisClient(
  connection: RedisConnection,
  commandTimeoutMs: number,
): OpenRedisClient {
  if (isRedisClient(connection)) return { client: connection, isOwn: false };
  const client = createClient(connection, commandTimeoutMs);
  waitForFirstAttempt(client, commandTimeoutMs);
  if (isSingleServer(client)) leaveDemotedMaster(client);
  else if (!readsFromReplicas(client)) keepReplicasFromAnswering(client);
  // Each command reports its own failure; without a listener ioredis prints every attempt to connect.
  client.on('error', () => undefined);
  return { client, isOwn: true };
}

/** Whether `connection` is a client of ioredis, of this copy of the package or another one. */
export function isRedisClient(connection: unknown): connection is RedisClient {
  if (typeof connection !== 'object' || connection === null) return false;
  return (
    connection instanceof Redis || connection instanceof Cluster || 'defineCommand' in connection
  );
}

/** Whether `client` talks to one server at a time. */
export function isSingleServer(client: RedisClient): client is Redis {
  return !client.isCluster;
}

/** Those that are closed, or about to be. */
const closing = new WeakSet<RedisClient>();

/** Whether `client` was closed and does not connect again. */
export function isClosed(client: RedisClient): boolean {
  return closing.has(client) || client.status === 'end';
}

/** Reads a text once. A Redis that cannot save to its disk deletes nothing: there it may be read again. */
export function takeText(client: RedisClient, key: string): Promise<string | null> {
  return client.getdel(key).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('MISCONF')) return client.get(key);
    throw error;
  });
}

/** What one command may ask for together: in a Redis Cluster each partition lies in a slot of its own. */
export function groupsOf<T>(client: RedisClient, partitions: readonly T[]): readonly T[][] {
  if (partitions.length === 0) return [];
  return client.isCluster ? partitions.map((partition) => [partition]) : [[...partitions]];
}

/** Whether `connection` leads to a Redis Cluster. */
export function isCluster(connection: RedisConnection | undefined): boolean {
  if (isRedisClient(connection)) return connection.isCluster;
  return typeof connection === 'object' && 'nodes' in connection;
}

/** Whether a command that only reads may be answered by a replica, which may not know yet that a session has ended. */
function readsFromReplicas(client: RedisClient): boolean {
  return client instanceof Cluster && client.options.scaleReads !== 'master';
}

/** Seconds between two records of an access. 0 where a replica answers reads: it may not know the last record. */
export function ownTouchIntervalSeconds(
  client: RedisClient,
  { touchIntervalSeconds }: { readonly touchIntervalSeconds: number | undefined },
): number | undefined {
  return readsFromReplicas(client) ? 0 : touchIntervalSeconds;
}

/**
 * Waits until Redis answers a PING, and makes sure that the database is the chosen one.
 *
 * @throws SessionStoreError naming the reason, without the address's password
 */
export async function pingRedis(client: RedisClient, timeoutMs: number): Promise<void> {
  let lastError: unknown;
  const onError = (error: unknown) => {
    lastError = error;
  };
  client.on('error', onError);
  try {
    if (client.status === 'wait') await withDeadline('connect', timeoutMs, client.connect());
    await withDeadline('ping', timeoutMs, client.ping());
  } catch (error) {
    throw SessionStoreError.create(
      'reach Redis',
      lastError ? withoutCommand(lastError) : (error as Error).cause,
      'Check the option redis: the address, the password, and rediss:// if Redis wants TLS.',
    );
  } finally {
    client.off('error', onError);
  }
  if (isSingleServer(client)) await refuseOtherDatabase(client, timeoutMs);
}

/** ioredis goes on with database 0 when Redis refuses the SELECT of a new connection. */
async function refuseOtherDatabase(client: Redis, timeoutMs: number): Promise<void> {
  const database = client.condition?.select ?? 0;
  if (database === 0) return;
  try {
    await withDeadline('select the database', timeoutMs, client.select(database));
  } catch (error) {
    const cause = (error as Error).cause as Error;
    throw new SessionStoreError(
      `Cannot use database ${database} of Redis: ${cause.message}. Choose one that this Redis has and its user may select.`,
      { cause },
    );
  }
}

/** Waits for the commands under way, then closes the connection. Does not wait for a server that is gone. */
export async function closeRedisClient(client: RedisClient, timeoutMs: number): Promise<void> {
  closing.add(client);
  try {
    if (client.status === 'ready') await withDeadline('quit', timeoutMs, quit(client));
  } catch {
    // The connection is to be closed anyway.
  } finally {
    client.disconnect();
  }
}

/** QUIT would overtake reads that are sent at the end of this turn, and the commands that auto-pipelining still holds back. */
async function quit(client: RedisClient): Promise<void> {
  await endOfTurn();
  while (client.status === 'ready' && client.autoPipelineQueueSize > 0) await delay(1);
  await client.quit();
}

function createClient(
  connection: Exclude<RedisConnection, RedisClient>,
  commandTimeoutMs: number,
): RedisClient {
  const server = {
    connectTimeout: commandTimeoutMs,
    maxLoadingRetryTime: MAX_PAUSE_MS,
    maxRetriesPerRequest: 1,
    // A connection that swallows everything is given up after the callers have given up.
    socketTimeout: commandTimeoutMs + SOCKET_GRACE_MS,
  };
  const rules = {
    ...server,
    disconnectTimeout: SOCKET_GRACE_MS,
    enableAutoPipelining: true,
    lazyConnect: true,
    reconnectOnError: leavesReadOnlyServer(),
    retryStrategy: reconnectDelayMs,
  };
  if (typeof connection === 'string') return new Redis(connection, rules);
  if (!('nodes' in connection))
    return new Redis({ ...rules, ...connection, replyMapping: 'legacy' });
  // Without auto-pipelining: a command that is sent alone follows its slot to another node, a pipeline fails as a whole.
  return new Cluster([...connection.nodes], {
    clusterRetryStrategy: reconnectDelayMs,
    lazyConnect: true,
    // One attempt per 100 ms: a script whose keys lie on two nodes is tried again as long as its caller waits.
    maxRedirections: Math.max(16, Math.ceil(commandTimeoutMs / 100)),
    ...connection.options,
    redisOptions: { ...server, ...connection.options?.redisOptions, replyMapping: 'legacy' },
  });
}

/** Ms between two attempts to find a server that is well, at most. */
const MAX_PAUSE_MS = 500;

/** Ms that a connection which is given up may take longer than a command. */
const SOCKET_GRACE_MS = 100;

/** Commands wait for the first attempt to connect again, but for no later one, and no longer for a server that reads its data. */
function waitForFirstAttempt(client: RedisClient, commandTimeoutMs: number): void {
  const { options } = client;
  if (options.enableOfflineQueue === false) return;
  let isFirst = true;
  let timer: NodeJS.Timeout | undefined;
  client.on('ready', () => {
    clearTimeout(timer);
    options.enableOfflineQueue = isFirst = true;
  });
  client.on('reconnecting', () => {
    options.enableOfflineQueue = isFirst;
    if (isFirst)
      timer = setTimeout(() => (options.enableOfflineQueue = false), commandTimeoutMs).unref();
    isFirst = false;
  });
}

/**
 * While ioredis has no connection to a master, it asks any other node. A replica in READONLY mode runs the script then:
 * it answers with old data, or fails at a write. In the normal mode it names the master.
 */
function keepReplicasFromAnswering(client: Cluster): void {
  client.on('+node', (node: Redis) => {
    node.readonly = () => Promise.resolve('OK');
  });
}

/** The first attempt is made at once. */
function reconnectDelayMs(attempt: number): number {
  return attempt === 1 ? 0 : Math.min(25 * 2 ** attempt, MAX_PAUSE_MS);
}

/**
 * After a failover the old master refuses writes: 2 = connect again, to the new one, and send the command again. A server
 * that is still read-only a moment later is no failover: its refusals reach the callers.
 */
function leavesReadOnlyServer(): (error: Error) => 2 | false {
  let nextMs = -Infinity;
  return ({ message }) => {
    if (!message.includes('READONLY')) return false;
    const nowMs = performance.now();
    if (nowMs < nextMs) return false;
    nextMs = nowMs + MAX_PAUSE_MS;
    return 2;
  };
}
