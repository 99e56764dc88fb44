import { type Redis } from 'ioredis';
import { type SessionLogger } from '../../lib/logger.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { FailureLog } from '../../lib/background-loop.js';
import { type RedisClient } from '../client/redis-client.js';
import { watchServerOf } from '../client/redis-server.js';

/** What {@link KeyspaceEvents} listens to. */
export interface KeyspaceEventsInput {
  readonly client: RedisClient;
  /** Whether `notify-keyspace-events` is set, again on each server that the client connects to. */
  readonly configuresNotifications: boolean;
  readonly logger: SessionLogger;
  /** Called with what follows `prefix` in the key. */
  readonly onEvent: (kind: 'deleted' | 'expired', rest: string) => Promise<void>;
  /** Called when reports come in, again after a connection that broke: what happened before is not reported. */
  readonly onListening: () => Promise<void>;
  readonly prefix: string;
}

/** Reports deleted and expired keys, by a connection of its own. */
export class KeyspaceEvents {
  private subscriber: Redis | undefined;
  private underWay = new Set<Promise<void>>();
  private readonly failures: FailureLog;

  constructor(private readonly input: KeyspaceEventsInput) {
    this.failures = new FailureLog(input.logger);
  }

  async start(): Promise<void> {
    if (this.subscriber) return;
    // A Redis Cluster reports keys on their own nodes only; options with this store have refused one.
    const client = this.input.client as Redis;
    if (this.input.configuresNotifications) {
      await configureNotifications(client);
      client.on('ready', this.configureAgain);
    } else await this.warnUnlessConfigured(client);
    const subscriber = client.duplicate({ enableOfflineQueue: true, lazyConnect: true });
    this.subscriber = subscriber;
    subscriber.on('error', () => undefined);
    watchServerOf(subscriber);
    const database = client.options.db ?? 0;
    const expired = `__keyevent@${database}__:expired`;
    subscriber.on('message', (channel: string, key: string) => {
      this.onMessage(channel === expired ? 'expired' : 'deleted', key);
    });
    const listen = async () => {
      await subscriber.subscribe(expired, `__keyevent@${database}__:del`);
      await this.input.onListening();
    };
    await subscriber.subscribe(expired, `__keyevent@${database}__:del`);
    this.track(this.input.onListening());
    subscriber.on('ready', () => this.track(listen()));
  }

  async stop(): Promise<void> {
    this.input.client.off('ready', this.configureAgain);
    this.subscriber?.disconnect();
    this.subscriber = undefined;
    await Promise.all(this.underWay);
  }

  /** A server that has started again, or a promoted replica, does not have the setting. */
  private readonly configureAgain = () => {
    this.track(configureNotifications(this.input.client as Redis).then(this.input.onListening));
  };

  private onMessage(kind: 'deleted' | 'expired', key: string): void {
    const { onEvent, prefix } = this.input;
    if (!key.startsWith(prefix)) return;
    this.track(onEvent(kind, key.slice(prefix.length)));
  }

  private track(work: Promise<void>): void {
    const handled = work.then(
      () => this.failures.worked(),
      (error: unknown) =>
        this.failures.failed(
          error instanceof SessionOptionError
            ? error.message
            : 'Cannot report the end of a session: Redis failed. It is tried again with the sessions of the last minutes; check that Redis is reachable.',
        ),
    );
    this.underWay.add(handled);
    void handled.then(() => this.underWay.delete(handled));
  }

  /** Where CONFIG is refused nobody can tell. */
  private async warnUnlessConfigured(client: Redis): Promise<void> {
    const reply = await client.config('GET', 'notify-keyspace-events').catch(() => undefined);
    const missing = reply ? missingFlags(reply[1] ?? '') : '';
    if (missing === '') return;
    this.input.logger.warn(
      `Cannot hear at once of sessions that end: notify-keyspace-events lacks "${missing}". Set it on the server. Until then the cleanup finds expired sessions, and nothing reports those that others delete.`,
    );
  }
}

/**
 * Adds the flags that are missing: E, and those for DEL and for expired keys. @see ConfigureNotifyKeyspaceEventsAction
 *
 * @throws SessionOptionError when Redis refuses it
 */
async function configureNotifications(client: Redis): Promise<void> {
  try {
    const [, flags = ''] = await client.config('GET', 'notify-keyspace-events');
    const missing = missingFlags(flags);
    if (missing) await client.config('SET', 'notify-keyspace-events', flags + missing);
  } catch (error) {
    if ((error as Error).name !== 'ReplyError') throw error;
    throw new SessionOptionError(
      'Cannot set notify-keyspace-events: Redis refuses the command CONFIG. Set it to "Egx" on the server, and indexed.configuresNotifications to false.',
    );
  }
}

/** @returns the flags that `flags` lacks for the events that are listened to */
export function missingFlags(flags: string): string {
  const needed = flags.includes('A') ? ['E'] : ['E', 'g', 'x'];
  return needed.filter((flag) => !flags.includes(flag)).join('');
}
