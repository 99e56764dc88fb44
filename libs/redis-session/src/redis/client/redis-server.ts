import { type Cluster, Redis } from 'ioredis';
import { withDeadline } from '../../lib/store-operation.js';
import { foreignProperty } from '../../lib/foreign-property.js';

/** What a Sentinel says once the clients of a master are to use another server: its name, and both addresses. */
const CHANNEL = '+switch-master';

const MAX_PAUSE_MS = 5000;

/** Ms after which a Sentinel that does not answer the end of a connection is left, so that it holds up no process that ends. */
const DISCONNECT_WITHIN_MS = 100;

/** Ms after a report in which another Sentinel may still name the old master. They tell each other every two seconds. */
const AGREED_WITHIN_MS = 5000;

/** Where a master was and is, as `host:port`. */
interface Switch {
  readonly from: string;
  readonly to: string;
  readonly atMs: number;
}

/**
 * Makes `client` connect again as soon as one of its Sentinels reports another master. Until then the demoted master
 * answers for up to ten seconds, and what it writes is lost. A Sentinel that does not know yet may be asked for the master
 * next: its answer is taken for the new one. Does nothing without Sentinels.
 *
 * ioredis' own detector prints every failure to reach a Sentinel, and leaves the masters of other names as well.
 */
export function leaveDemotedMaster(client: Redis): void {
  if (!client.options.sentinels) return;
  let last: Switch | undefined;
  const { natMap } = client.options;
  client.options.natMap = (address) => {
    const known = last && isStale(address, last) ? last.to : address;
    return (typeof natMap === 'function' ? natMap(known) : natMap?.[known]) ?? toAddress(known);
  };
  client.once('connect', () => {
    const watchers = watchSentinels(client, (from, to) => {
      if (last?.from === from && last.to === to) return;
      last = { from, to, atMs: performance.now() };
      reconnect(client);
    });
    client.once('end', () => watchers.forEach((watcher) => watcher.disconnect()));
  });
}

/** Ms between two signs of life of a connection that only listens. */
const SIGN_OF_LIFE_MS = 2000;

/** Lets a connection that only listens leave a server that is gone, or no master any more. */
export function watchServerOf(subscriber: Redis): void {
  leaveDemotedMaster(subscriber);
  noticeSilence(subscriber);
}

/** Who asks nothing never notices that nothing is answered: `socketTimeout` of ioredis begins with a command. */
function noticeSilence(subscriber: Redis): void {
  const timer = setInterval(() => {
    if (subscriber.status === 'ready') subscriber.ping().catch(() => undefined);
  }, SIGN_OF_LIFE_MS);
  timer.unref();
  subscriber.once('end', () => clearInterval(timer));
}

function isStale(address: string, { from, atMs }: Switch): boolean {
  return address === from && performance.now() - atMs < AGREED_WITHIN_MS;
}

/** A client that is asking its Sentinels would end for good if it were disconnected. */
function reconnect(client: Redis): void {
  const leave = () => client.disconnect(true);
  if (client.status === 'ready' || client.status === 'connect') leave();
  else if (client.status === 'connecting') client.once('connect', leave);
}

function watchSentinels(
  { options }: Redis,
  onSwitch: (from: string, to: string) => void,
): readonly Redis[] {
  const { family, name, sentinelPassword, sentinelTLS, sentinelUsername, sentinels } = options;
  return (sentinels ?? []).map(({ host = '127.0.0.1', port = 26_379 }) => {
    const watcher = new Redis({
      ...{ host, port, maxRetriesPerRequest: null, enableReadyCheck: false },
      disconnectTimeout: DISCONNECT_WITHIN_MS,
      socketTimeout: SIGN_OF_LIFE_MS,
      ...(family !== undefined && { family }),
      ...(sentinelPassword && { password: sentinelPassword }),
      ...(sentinelTLS && { tls: sentinelTLS }),
      ...(sentinelUsername && { username: sentinelUsername }),
      retryStrategy: (attempt) => Math.min(50 * attempt, MAX_PAUSE_MS),
    });
    watcher.on('error', () => undefined);
    noticeSilence(watcher);
    watcher.on('message', (_, report: string) => {
      const [master, oldHost, oldPort, newHost, newPort] = report.split(' ');
      if (master === name) onSwitch(`${oldHost}:${oldPort}`, `${newHost}:${newPort}`);
    });
    watcher.subscribe(CHANNEL).catch(() => undefined);
    return watcher;
  });
}

function toAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

const policyOf = foreignProperty<string>('policy by which Redis evicts keys');

/**
 * Asks Redis by which policy it evicts keys when it is full. `mayEvict` knows the answer from then on.
 *
 * @returns such as `allkeys-lru`; undefined when it evicts nothing, or does not tell
 */
export async function findEvictionPolicy(
  client: Redis | Cluster,
  timeoutMs: number,
): Promise<string | undefined> {
  const reply = withDeadline('read the memory policy', timeoutMs, client.info('memory'));
  const info = await reply.catch(() => '');
  const policy = /^maxmemory_policy:(.+?)\r?$/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return undefined;
  policyOf.set(client, policy);
  return policy;
}

/** Whether any key can be gone before its time. */
export function mayEvict(client: Redis | Cluster): boolean {
  return policyOf.get(client) !== undefined;
}
