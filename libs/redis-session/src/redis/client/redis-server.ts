import { type Cluster, Redis } from 'ioredis';
import { withDeadline } from '../../lib/deadline.js';
import { foreignProperty } from '../../lib/foreign-property.js';

/** What a Sentinel says once the clients of a master are to use another server: its name, and both addresses. */
const CHANNEL = '+switch-master';

const MAX_PAUSE_MS = 5000;

/**
 * Makes `client` connect again as soon as one of its Sentinels reports another master. Until then the demoted master
 * answers for up to ten seconds, and what it writes is lost. Does nothing without Sentinels.
 *
 * ioredis' own detector prints every failure to reach a Sentinel, and leaves the masters of other names as well.
 */
export function leaveDemotedMaster(client: Redis): void {
  let lastReport: string | undefined;
  client.once('connect', () => {
    const watchers = watchSentinels(client, (report) => {
      if (report === lastReport) return;
      lastReport = report;
      client.disconnect(true);
    });
    client.once('end', () => watchers.forEach((watcher) => watcher.disconnect()));
  });
}

function watchSentinels({ options }: Redis, onReport: (report: string) => void): Redis[] {
  const { family, name, sentinelPassword, sentinelTLS, sentinelUsername, sentinels } = options;
  return (sentinels ?? []).map(({ host = '127.0.0.1', port = 26_379 }) => {
    const watcher = new Redis({
      ...{ host, port, maxRetriesPerRequest: null, enableReadyCheck: false },
      ...(family !== undefined && { family }),
      ...(sentinelPassword && { password: sentinelPassword }),
      ...(sentinelTLS && { tls: sentinelTLS }),
      ...(sentinelUsername && { username: sentinelUsername }),
      retryStrategy: (attempt) => Math.min(50 * attempt, MAX_PAUSE_MS),
    });
    watcher.on('error', () => undefined);
    watcher.on('message', (_, report: string) => {
      if (report.startsWith(`${name} `)) onReport(report);
    });
    watcher.subscribe(CHANNEL).catch(() => undefined);
    return watcher;
  });
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
