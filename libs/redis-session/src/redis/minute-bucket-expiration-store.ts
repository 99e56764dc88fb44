import { Cron } from 'croner';
import { type SessionChange } from '../session/session-change.js';
import { BackgroundLoop } from './background-loop.js';
import { withDeadline } from './deadline.js';
import { type ExpirationStore } from './expiration-store.js';
import { entriesOf } from './index-entry.js';
import { KeyspaceEvents } from './keyspace-events.js';
import { scheduleInBuckets } from './lua/scripts.generated.js';
import { type SortedSetExpirationInput } from './sorted-set-expiration-store.js';

/** What a {@link MinuteBucketExpirationStore} is told beside what both stores work with. */
export interface MinuteBucketExpirationInput extends SortedSetExpirationInput {
  readonly absoluteTimeoutMs: number;
  /** Whether `start` sets `notify-keyspace-events`; managed Redis may refuse it. */
  readonly configuresNotifications: boolean;
  /** When the bucket of the minute is looked at, in this process's time zone; false = never. */
  readonly cleanupCron: string | false;
  readonly namespace: string;
}

interface ScriptedClient {
  nestBucketsSchedule(...args: (string | number)[]): Promise<unknown>;
}

const MINUTE_MS = 60_000;

/**
 * Spring's own algorithm in Spring's own keys, for one Redis with Spring applications. Not for Redis Cluster.
 *
 * ```
 * spring:session:sessions:expires:33fdd1b6-…    string ''   expires with the session: Redis reports its end
 * spring:session:expirations:1404361860000      set         "expires:33fdd1b6-…"   those to touch in that minute
 * ```
 *
 * The end of a session is reported to all replicas; the first one records the event. Costs one command more for each
 * access and each save than `SortedSetExpirationStore`. Mirrors `MinuteBasedRedisSessionExpirationStore` of Spring Session
 * with its defects fixed: no bucket is without time to live, a negative interval means never, and a logout puts nothing
 * back.
 */
export class MinuteBucketExpirationStore implements ExpirationStore {
  private readonly scripts: ScriptedClient;
  private readonly loop: BackgroundLoop;
  private readonly keyspaceEvents: KeyspaceEvents;

  constructor(private readonly input: MinuteBucketExpirationInput) {
    const { cleanupCron, client, logger } = input;
    client.defineCommand('nestBucketsSchedule', scheduleInBuckets);
    this.scripts = client as unknown as ScriptedClient;
    this.loop = new BackgroundLoop({
      action: 'look at the sessions of this minute',
      logger,
      pauseMs: () => msToNext(cleanupCron),
      turn: () => this.cleanUp(),
    });
    this.keyspaceEvents = new KeyspaceEvents({
      ...input,
      prefix: this.shadowKey(''),
      onEvent: (kind, id) => this.end(kind, id),
    });
  }

  async afterAccess(sessionId: string): Promise<void> {
    await this.schedule(sessionId, sessionId);
  }

  async afterSave({ id, storedId }: SessionChange): Promise<void> {
    await this.schedule(id, storedId);
  }

  async afterDelete(sessionId: string, fields: readonly string[]): Promise<void> {
    const { client, commandTimeoutMs } = this.input;
    const bucket = fields[fields.indexOf('bucket') + 1];
    const removals = [client.del(this.shadowKey(sessionId))];
    if (fields.includes('bucket'))
      removals.push(client.srem(this.bucketPrefix + String(bucket), memberOf(sessionId)));
    await withDeadline('unschedule the session', commandTimeoutMs, Promise.all(removals));
  }

  async start(): Promise<void> {
    await this.keyspaceEvents.start();
    if (this.input.cleanupCron !== false) this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.keyspaceEvents.stop();
  }

  /** Touches the shadow keys of the bucket of this minute, so that Redis notices which have ended. */
  async cleanUp(): Promise<void> {
    const { client, clock, commandTimeoutMs } = this.input;
    const bucket = this.bucketPrefix + String(Math.floor(clock() / MINUTE_MS) * MINUTE_MS);
    const touch = async () => {
      const members = await client.smembers(bucket);
      await client.del(bucket);
      await Promise.all(members.map((member) => client.exists(this.shadowKey(idOf(member)))));
    };
    await withDeadline('touch sessions', commandTimeoutMs, touch());
  }

  private get bucketPrefix(): string {
    return `${this.input.namespace}:expirations:`;
  }

  private shadowKey(id: string): string {
    return `${this.input.namespace}:sessions:expires:${id}`;
  }

  private async schedule(id: string, earlierId: string): Promise<void> {
    const { absoluteTimeoutMs, commandTimeoutMs, keys } = this.input;
    const scheduled = this.scripts.nestBucketsSchedule(
      ...[keys.session(id), this.shadowKey(id), this.shadowKey(earlierId), this.bucketPrefix],
      ...[memberOf(id), memberOf(earlierId), absoluteTimeoutMs],
    );
    await withDeadline('schedule the session', commandTimeoutMs, scheduled);
  }

  private async end(kind: 'deleted' | 'expired', id: string): Promise<void> {
    const { commands, indexing } = this.input;
    const outcome = await commands.end({ id, kind, isKept: true });
    if (outcome.kind === 'ended')
      await indexing.remove(id, [...entriesOf(outcome.fields).values()]);
  }
}

/** As Spring's JSON serializer writes it. */
function memberOf(id: string): string {
  return JSON.stringify(`expires:${id}`);
}

/** @param member - with the quotes of JSON or without */
function idOf(member: string): string {
  return member.replace(/^"?expires:(.*?)"?$/s, '$1');
}

/** At most what a timer can hold; a turn that comes early does no harm. */
function msToNext(cron: string | false): number {
  const next = cron === false ? null : new Cron(cron).msToNext();
  return Math.min(next ?? Infinity, 2 ** 31 - 1);
}
