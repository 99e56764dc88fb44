import { Cron } from 'croner';
import { type SessionChange } from '../../session/session-change.js';
import { BackgroundLoop } from '../../lib/background-loop.js';
import { withDeadline } from '../../lib/store-operation.js';
import { type Script, scriptOf } from '../client/script.js';
import {
  type ExpirationStore,
  type SortedSetExpirationInput,
} from './sorted-set-expiration-store.js';
import { entriesOf } from '../indexed/session-index.js';
import { KeyspaceEvents } from './keyspace-events.js';
import { scheduleInBuckets } from '../lua/scripts.generated.js';

/** What a {@link MinuteBucketExpirationStore} is told beside what both stores work with. */
export interface MinuteBucketExpirationInput extends SortedSetExpirationInput {
  readonly absoluteTimeoutMs: number;
  /** Whether `start` sets `notify-keyspace-events`; managed Redis may refuse it. */
  readonly configuresNotifications: boolean;
  /** When the bucket of the minute is looked at, in this process's time zone; false = never. */
  readonly cleanupCron: string | false;
  readonly namespace: string;
}

const MINUTE_MS = 60_000;
/** As long as the hash of a session outlives it, its end can be reported. */
const MINUTES_BACK = 5;
/** Small enough that no pipeline holds up Redis. */
const BATCH_SIZE = 100;

/**
 * Spring's own algorithm in Spring's own keys, for one Redis with Spring applications. Not for Redis Cluster.
 *
 * ```
 * spring:session:sessions:expires:33fdd1b6-…    string ''   expires with the session: Redis reports its end
 * spring:session:expirations:1404361860000      set         "expires:33fdd1b6-…"   those to touch in that minute
 * ```
 *
 * The end of a session is reported to all replicas; the first one records the event. What Redis has reported to nobody is
 * found with the buckets of the last five minutes: at start, after a broken connection, and by the cleanup. Costs one command more for each
 * access and each save than `SortedSetExpirationStore`. Mirrors `MinuteBasedRedisSessionExpirationStore` of Spring Session
 * with its defects fixed: no bucket is without time to live, a negative interval means never, and a logout puts nothing
 * back.
 */
export class MinuteBucketExpirationStore implements ExpirationStore {
  private readonly scheduleInBuckets: Script<unknown>;
  private readonly loop: BackgroundLoop;
  private readonly keyspaceEvents: KeyspaceEvents;

  constructor(private readonly input: MinuteBucketExpirationInput) {
    const { cleanupCron, client, logger } = input;
    this.scheduleInBuckets = scriptOf(client, 'nestBucketsSchedule', scheduleInBuckets);
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
      onListening: () => this.lookBack(),
    });
  }

  async afterAccess(sessionId: string): Promise<void> {
    await this.schedule(sessionId, sessionId);
  }

  async afterSave({ id, storedId }: SessionChange): Promise<void> {
    await this.schedule(id, storedId);
  }

  async afterDelete(sessionId: string, fields: readonly string[]): Promise<void> {
    const { client } = this.input;
    const bucket = fields[fields.indexOf('bucket') + 1];
    const removals = [client.del(this.shadowKey(sessionId))];
    if (fields.includes('bucket'))
      removals.push(client.srem(this.bucketPrefix + String(bucket), memberOf(sessionId)));
    await this.inTime('unschedule the session', Promise.all(removals));
  }

  async start(): Promise<void> {
    await this.keyspaceEvents.start();
    if (this.input.cleanupCron !== false) this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.keyspaceEvents.stop();
  }

  /**
   * Touches the shadow keys in the buckets of this minute and of the last five, so that Redis notices which have ended, and
   * ends the sessions whose shadow key is gone.
   */
  async cleanUp(): Promise<void> {
    await this.cleanUpIn(this.minuteNow());
  }

  /** As {@link cleanUp}, and the sessions of the minute that has begun: some of them may have ended. */
  private async lookBack(): Promise<void> {
    const minute = this.minuteNow();
    await this.cleanUpIn(minute);
    await this.endWithoutShadow([this.bucketOf(minute + 1)]);
  }

  private async cleanUpIn(minute: number): Promise<void> {
    const buckets = Array.from({ length: MINUTES_BACK + 1 }, (_, back) =>
      this.bucketOf(minute - back),
    );
    await this.endWithoutShadow(buckets, buckets);
  }

  private minuteNow(): number {
    return Math.floor(this.input.clock() / MINUTE_MS);
  }

  private bucketOf(minute: number): string {
    return this.bucketPrefix + String(minute * MINUTE_MS);
  }

  /** @param emptied - buckets that lose what was looked at; what others add meanwhile stays */
  private async endWithoutShadow(
    buckets: readonly string[],
    emptied: readonly string[] = [],
  ): Promise<void> {
    const { client } = this.input;
    const members = await this.inTime('read buckets', client.sunion(...buckets));
    for (let first = 0; first < members.length; first += BATCH_SIZE) {
      const batch = members.slice(first, first + BATCH_SIZE);
      const ids = batch.map(idOf);
      const touched = Promise.all(ids.map((id) => client.exists(this.shadowKey(id))));
      const exist = await this.inTime('touch sessions', touched);
      const ended = ids.filter((_, i) => Number(exist[i]) === 0);
      await Promise.all(ended.map((id) => this.end('expired', id)));
      const removed = Promise.all(emptied.map((bucket) => client.srem(bucket, ...batch)));
      await this.inTime('empty buckets', removed);
    }
  }

  private get bucketPrefix(): string {
    return `${this.input.namespace}:expirations:`;
  }

  private shadowKey(id: string): string {
    return `${this.input.namespace}:sessions:expires:${id}`;
  }

  private async schedule(id: string, earlierId: string): Promise<void> {
    const { absoluteTimeoutMs, keys } = this.input;
    const scheduled = this.scheduleInBuckets(
      ...[keys.session(id), this.shadowKey(id), this.shadowKey(earlierId), this.bucketPrefix],
      ...[memberOf(id), memberOf(earlierId), absoluteTimeoutMs],
    );
    await this.inTime('schedule the session', scheduled);
  }

  private async end(kind: 'deleted' | 'expired', id: string): Promise<void> {
    const { commands, indexing } = this.input;
    const outcome = await commands.end({ id, kind, isKept: true });
    if (outcome.kind === 'ended')
      await indexing.remove(id, [...entriesOf(outcome.fields).values()]);
  }

  private inTime<T>(action: string, reply: Promise<T>): Promise<T> {
    return withDeadline(action, this.input.commandTimeoutMs, reply);
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

/** When the loop over buckets goes on: at most what a timer can hold; a turn that comes early does no harm. */
export function msToNext(cron: string | false): number {
  const next = cron === false ? null : new Cron(cron).msToNext();
  return Math.min(next ?? Infinity, 2 ** 31 - 1);
}
