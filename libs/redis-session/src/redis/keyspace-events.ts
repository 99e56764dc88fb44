import { type Redis } from 'ioredis';
import { type SessionLogger } from '../session/session-logger.js';
import { type RedisClient } from './redis-session.commands.js';

/** What {@link KeyspaceEvents} listens to. */
export interface KeyspaceEventsInput {
  readonly client: RedisClient;
  /** Whether `start` sets `notify-keyspace-events`. */
  readonly configuresNotifications: boolean;
  readonly logger: SessionLogger;
  /** Called with what follows `prefix` in the key. */
  readonly onEvent: (kind: 'deleted' | 'expired', rest: string) => Promise<void>;
  readonly prefix: string;
}

/** Reports deleted and expired keys, by a connection of its own. */
export class KeyspaceEvents {
  private subscriber: Redis | undefined;
  private underWay = new Set<Promise<void>>();

  constructor(private readonly input: KeyspaceEventsInput) {}

  async start(): Promise<void> {
    if (this.subscriber) return;
    // A Redis Cluster reports keys on their own nodes only; options with this store have refused one.
    const client = this.input.client as Redis;
    if (this.input.configuresNotifications) await configureNotifications(client);
    const subscriber = client.duplicate({ enableOfflineQueue: true, lazyConnect: true });
    this.subscriber = subscriber;
    subscriber.on('error', () => undefined);
    const database = client.options.db ?? 0;
    const expired = `__keyevent@${database}__:expired`;
    subscriber.on('message', (channel: string, key: string) => {
      this.onMessage(channel === expired ? 'expired' : 'deleted', key);
    });
    await subscriber.subscribe(expired, `__keyevent@${database}__:del`);
  }

  async stop(): Promise<void> {
    this.subscriber?.disconnect();
    this.subscriber = undefined;
    await Promise.all(this.underWay);
  }

  private onMessage(kind: 'deleted' | 'expired', key: string): void {
    const { onEvent, prefix, logger } = this.input;
    if (!key.startsWith(prefix)) return;
    const handled = onEvent(kind, key.slice(prefix.length)).catch(() => {
      logger.warn(
        'Cannot report the end of a session: Redis failed. Its event is lost; check that Redis is reachable.',
      );
    });
    this.underWay.add(handled);
    void handled.then(() => this.underWay.delete(handled));
  }
}

/** Adds the flags that are missing: E, and those for DEL and for expired keys. @see ConfigureNotifyKeyspaceEventsAction */
export async function configureNotifications(client: Redis): Promise<void> {
  const [, flags = ''] = await client.config('GET', 'notify-keyspace-events');
  const missing = missingFlags(flags);
  if (missing) await client.config('SET', 'notify-keyspace-events', flags + missing);
}

/** @returns the flags that `flags` lacks for the events that are listened to */
export function missingFlags(flags: string): string {
  const needed = flags.includes('A') ? ['E'] : ['E', 'g', 'x'];
  return needed.filter((flag) => !flags.includes(flag)).join('');
}
