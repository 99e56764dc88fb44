import { type Redis } from 'ioredis';
import { BackgroundLoop } from '../lib/background-loop.js';
import { type SessionLogger } from '../lib/logger.js';
import { BroadcastEventSource } from '../redis/events/broadcast-event-source.js';
import { OnceEventSource } from '../redis/events/once-event-source.js';
import { msToNext } from '../redis/expiration/minute-bucket-expiration-store.js';
import { KeyspaceEvents } from '../redis/expiration/keyspace-events.js';
import { indexedSessionKeys } from '../redis/indexed/indexed-session.keys.js';
import { PRINCIPAL_INDEX } from '../session/indexed/session-indexing.js';
import { INDEX_FIELD_PREFIX, newIndexEntry, textOfEntry } from '../redis/indexed/session-index.js';
import { ATTRIBUTE_PREFIX } from '../redis/sessions/redis-session.mapper.js';
import { watchServerOf } from '../redis/client/redis-server.js';
import { type RedisClient } from '../redis/client/redis-client.js';
import { type SessionCodec } from '../session/attributes/codec.js';
import { expiryTimeMs } from '../session/session-times.js';
import {
  type SessionEventSource,
  type SessionEventSubscription,
  type SessionEventType,
} from '../session/session-event.js';
import { type SpringSessionCommands } from './spring-session.commands.js';
import { springMemberId, type SpringSessionKeys } from './spring-session.keys.js';
import { fromSpringHash } from './spring-session.mapper.js';
import { type SpringUsers } from './spring-users.js';

/** What {@link SpringSessionEvents} work with. */
export interface SpringSessionEventsInput {
  readonly cleanupCron: string | false;
  readonly client: RedisClient;
  /** Epoch ms. */
  readonly clock: () => number;
  readonly codec: SessionCodec;
  readonly commands: SpringSessionCommands;
  readonly commandTimeoutMs: number;
  readonly configuresNotifications: boolean;
  readonly database: number;
  readonly eventAttributes: 'all' | readonly string[];
  readonly eventDelivery: 'none' | 'once' | 'broadcast';
  readonly keys: SpringSessionKeys;
  readonly logger: SessionLogger;
  readonly namespace: string;
  readonly users: SpringUsers;
}

const MINUTE_MS = 60_000;
/** As long as the hash of a session outlives it, its end can be reported. */
const MINUTES_BACK = 5;
/** More than the clocks of Redis and of this process differ. */
const CLOCK_GRACE_MS = 5000;

/**
 * Hears what happens to the sessions of both sides as Spring does, and tells the handlers of this application. All replicas
 * hear the same; the first one adds the event to the stream, from which each handler gets it.
 *
 * ```
 * __keyevent@0__:expired  spring:session:sessions:expires:33fdd1b6-…     a session has expired
 * __keyevent@0__:del      spring:session:sessions:expires:33fdd1b6-…     a session has been deleted
 * spring:session:event:0:created:33fdd1b6-…                              a session has been created
 * ```
 */
export class SpringSessionEvents {
  private readonly keyspace: KeyspaceEvents;
  private readonly loop: BackgroundLoop;
  private readonly stream: string;
  private subscriber: Redis | undefined;

  constructor(private readonly input: SpringSessionEventsInput) {
    const { cleanupCron, keys, logger, namespace } = input;
    this.stream = indexedSessionKeys(namespace, 0).events(namespace);
    this.keyspace = new KeyspaceEvents({
      ...input,
      onEvent: (kind, id) => this.onEnd(kind, id),
      onListening: () => this.cleanUp(),
      prefix: keys.shadow(''),
    });
    this.loop = new BackgroundLoop({
      action: 'look at the sessions of this minute',
      logger,
      pauseMs: () => msToNext(cleanupCron),
      turn: () => this.cleanUp(),
    });
  }

  createSource({ delivery, ...subscription }: SessionEventSubscription): SessionEventSource {
    const { client, codec, commandTimeoutMs, logger, namespace } = this.input;
    const keys = indexedSessionKeys(namespace, 0);
    const input = { client, codec, commandTimeoutMs, keys, logger, ...subscription };
    return delivery === 'once' ? new OnceEventSource(input) : new BroadcastEventSource(input);
  }

  async start(): Promise<void> {
    await this.keyspace.start();
    if (this.input.cleanupCron !== false) this.loop.start();
    if (this.input.eventDelivery !== 'none') await this.listenToNewSessions();
  }

  async stop(): Promise<void> {
    this.subscriber?.disconnect();
    this.subscriber = undefined;
    await this.loop.stop();
    await this.keyspace.stop();
  }

  /** The change is stored: a failure loses the event alone. */
  async recordIdChange(previousId: string, id: string): Promise<void> {
    if (this.input.eventDelivery === 'none') return;
    try {
      const fields = await this.input.commands.read(id);
      await this.record('id-changed', id, fields, ['previousSessionId', previousId]);
    } catch {
      this.warnOfLoss('a changed session id');
    }
  }

  /** Has Redis notice which sessions have ended, and reports those whose end nobody has heard. As Spring does each minute. */
  private async cleanUp(): Promise<void> {
    const { clock, commands, keys } = this.input;
    const minute = Math.floor(clock() / MINUTE_MS);
    for (let back = MINUTES_BACK; back >= -1; back--) {
      const bucket = `${keys.bucketPrefix}${(minute - back) * MINUTE_MS}`;
      const members = await commands.inTime('read a bucket', this.input.client.smembers(bucket));
      for (const id of members.map(springMemberId)) {
        const isThere = this.input.client.exists(keys.shadow(id));
        if ((await commands.inTime('touch a session', isThere)) === 0)
          await this.onEnd('expired', id);
      }
    }
  }

  /** A hash whose idle time is 0 cannot expire: it was deleted, or is what an id change has left. */
  private async onEnd(kind: 'deleted' | 'expired', id: string): Promise<void> {
    const { client, clock, commands, keys } = this.input;
    const fields = await commands.readEnded(id);
    const stored = fromSpringHash(fields);
    if (!stored) return;
    const hasExpired = expiryTimeMs(stored) <= clock() + CLOCK_GRACE_MS;
    if (kind === 'expired' && (stored.maxInactiveInterval <= 0 || !hasExpired)) return;
    const user = this.input.users.userOfFields(fields);
    if (user !== undefined) {
      const removal = client.srem(keys.index(user), JSON.stringify(id));
      await commands.inTime('leave an index', removal);
    }
    const told = client.get(keys.ended(id));
    const reason = (await commands.inTime('read why a session ended', told)) ?? '';
    await this.record(kind, id, fields, ['reason', reason]);
  }

  private async record(
    type: SessionEventType,
    id: string,
    fields: readonly string[],
    more: readonly string[] = [],
  ): Promise<void> {
    const { commands, eventDelivery } = this.input;
    if (eventDelivery === 'none') return;
    const user = this.input.users.userOfFields(fields);
    const entry = user === undefined ? undefined : newIndexEntry(PRINCIPAL_INDEX, user);
    await commands.record(type, id, this.stream, [
      ...['sessionId', id, ...more],
      ...(entry ? [INDEX_FIELD_PREFIX + PRINCIPAL_INDEX, textOfEntry(entry)] : []),
      ...this.attributeFields(fields),
    ]);
  }

  private attributeFields(fields: readonly string[]): string[] {
    const { eventAttributes } = this.input;
    const attributes = fromSpringHash(fields)?.attributes ?? new Map<string, string>();
    return [...attributes].flatMap(([name, text]) => {
      const isWanted = eventAttributes === 'all' || eventAttributes.includes(name);
      return isWanted ? [ATTRIBUTE_PREFIX + name, text] : [];
    });
  }

  private async listenToNewSessions(): Promise<void> {
    const { client, database, keys } = this.input;
    // Options with a Redis Cluster are refused.
    const subscriber = (client as Redis).duplicate({ enableOfflineQueue: true, lazyConnect: true });
    this.subscriber = subscriber;
    subscriber.on('error', () => undefined);
    watchServerOf(subscriber);
    const prefix = keys.created(database, '');
    subscriber.on('pmessage', (_pattern: string, channel: string) => {
      this.onCreated(channel.slice(prefix.length)).catch(() => this.warnOfLoss('a new session'));
    });
    await subscriber.psubscribe(`${prefix}*`);
  }

  private async onCreated(id: string): Promise<void> {
    const fields = await this.input.commands.read(id);
    if (fields.length > 0) await this.record('created', id, fields);
  }

  private warnOfLoss(what: string): void {
    this.input.logger.warn(
      `Cannot report ${what}: Redis failed. The event is lost; check that Redis is reachable.`,
    );
  }
}
