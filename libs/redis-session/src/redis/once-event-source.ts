import { BackgroundLoop, jittered } from './background-loop.js';
import { withDeadline } from './deadline.js';
import { handleEvent } from './handle-event.js';
import {
  EVENT_BATCH_SIZE,
  EVENT_PAUSE_MS,
  type SessionEventSource,
  type SessionEventSourceInput,
} from './session-event-source.js';
import { type StreamEntry, toSessionEvent } from './session-event.mapper.js';

/** What a {@link OnceEventSource} is told beside what both kinds of sources work with. */
export interface OnceEventSourceInput extends SessionEventSourceInput {
  /** Ms after which an event that somebody has taken and not handled is taken by somebody else. */
  readonly handOnAfterMs: number;
  /** Whether handled events are deleted; not when others read the same streams. */
  readonly deletesHandled: boolean;
}

/** How often an event is delivered at most: what nobody can handle is not tried for ever. */
export const MAX_EVENT_ATTEMPTS = 5;

/** The consumer group of all replicas. */
const GROUP = 'handlers';

type StreamsReply = readonly (readonly [key: string, entries: readonly StreamEntry[]])[] | null;

/**
 * One replica handles each event: they share a consumer group of the streams. The events of one session come in order,
 * one after the other, unless one is handed on. An event is done when its handler has
 * resolved; until then it belongs to the replica that took it, and to another one after a minute. So a handler sees an
 * event at least once, and may see it again, under the same event id, when its replica died or was too slow. An event that
 * was delivered {@link MAX_EVENT_ATTEMPTS} times in vain is logged, by its event id, and dropped.
 */
export class OnceEventSource implements SessionEventSource {
  private readonly loop: BackgroundLoop;
  private hasGroups = false;
  private lastHandOnMs = 0;

  constructor(private readonly input: OnceEventSourceInput) {
    this.loop = new BackgroundLoop({
      action: 'handle the events of sessions',
      logger: input.logger,
      pauseMs: () => jittered(EVENT_PAUSE_MS),
      turn: () => this.poll(),
    });
  }

  start(): Promise<void> {
    this.loop.start();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Handles what there is, now. */
  async poll(): Promise<void> {
    const { partitions } = this.input.keys;
    const now = Date.now();
    const isHandOnDue = now - this.lastHandOnMs >= this.input.handOnAfterMs / 2;
    if (isHandOnDue) this.lastHandOnMs = now;
    try {
      await this.createGroups();
      await Promise.all(
        partitions.map((partition, number) => this.pollPartition(partition, number, isHandOnDue)),
      );
    } catch (error) {
      this.hasGroups = false;
      throw error;
    }
  }

  private async pollPartition(
    partition: string,
    number: number,
    isHandOnDue: boolean,
  ): Promise<void> {
    const key = this.input.keys.events(partition);
    if (isHandOnDue) await this.handleAll(key, number, await this.takeOver(key, number));
    for (;;) {
      const entries = await this.take(key);
      await this.handleAll(key, number, entries);
      if (entries.length < EVENT_BATCH_SIZE) return;
    }
  }

  private async take(key: string): Promise<readonly StreamEntry[]> {
    const { client, replicaName } = this.input;
    const reply = client.xreadgroup(
      ...(['GROUP', GROUP, replicaName, 'COUNT', EVENT_BATCH_SIZE] as const),
      ...(['STREAMS', key, '>'] as const),
    );
    const streams = (await this.inTime('read events', reply)) as StreamsReply;
    return streams?.[0]?.[1] ?? [];
  }

  /** Events that were taken and not handled in time. */
  private async takeOver(key: string, number: number): Promise<readonly StreamEntry[]> {
    const { client, handOnAfterMs, replicaName } = this.input;
    const reply = client.xautoclaim(
      ...([key, GROUP, replicaName, handOnAfterMs, '0-0', 'COUNT', EVENT_BATCH_SIZE] as const),
    );
    const [, taken] = (await this.inTime('take over events', reply)) as [string, StreamEntry[]];
    // Redis 6.2 has null for those that were trimmed meanwhile.
    const entries = taken.filter(Boolean);
    const attempts = await Promise.all(entries.map(([id]) => this.attemptsOf(key, id)));
    const isHopeless = (_: unknown, i: number) => (attempts[i] ?? 0) > MAX_EVENT_ATTEMPTS;
    await this.giveUp(key, number, entries.filter(isHopeless));
    return entries.filter((entry, i) => !isHopeless(entry, i));
  }

  /** How often an event was delivered, this time included. */
  private async attemptsOf(key: string, id: string): Promise<number> {
    const reply = this.input.client.xpending(key, GROUP, id, id, 1);
    const [pending] = (await this.inTime('count deliveries', reply)) as [
      string,
      string,
      number,
      number,
    ][];
    return pending?.[3] ?? 0;
  }

  private async giveUp(
    key: string,
    number: number,
    entries: readonly StreamEntry[],
  ): Promise<void> {
    for (const [id] of entries) {
      this.input.logger.error(
        `Cannot handle the session event ${number}-${id}: it was delivered ${MAX_EVENT_ATTEMPTS} times in vain. It is dropped; check the handlers.`,
      );
    }
    await this.finish(
      key,
      entries.map(([id]) => id),
    );
  }

  private async handleAll(
    key: string,
    number: number,
    entries: readonly StreamEntry[],
  ): Promise<void> {
    const done: string[] = [];
    for (const entry of entries) if (await this.handle(entry, number)) done.push(entry[0]);
    await this.finish(key, done);
  }

  private async finish(key: string, done: readonly string[]): Promise<void> {
    if (done.length === 0) return;
    const { client, deletesHandled } = this.input;
    await this.inTime('acknowledge events', client.xack(key, GROUP, ...done));
    if (deletesHandled) await this.inTime('drop handled events', client.xdel(key, ...done));
  }

  /** @returns whether the event is done */
  private async handle(entry: StreamEntry, number: number): Promise<boolean> {
    const { codec, logger } = this.input;
    const event = toSessionEvent(entry, number, codec);
    const failure = event && (await handleEvent(event, this.input));
    if (!failure) return true;
    logger.warn(
      `Cannot handle a session event of type ${event.type}: a handler has failed (${failure}). It will be delivered again.`,
    );
    return false;
  }

  private async createGroups(): Promise<void> {
    if (this.hasGroups) return;
    const { client, keys } = this.input;
    const create = async (partition: string) => {
      const key = keys.events(partition);
      const reply = client.xgroup('CREATE', key, GROUP, '0', 'MKSTREAM');
      await this.inTime('create the group of event handlers', reply).catch((error: unknown) => {
        if (!(error as Error).message.includes('BUSYGROUP')) throw error;
      });
    };
    await Promise.all(keys.partitions.map(create));
    this.hasGroups = true;
  }

  private inTime<T>(action: string, reply: Promise<T>): Promise<T> {
    return withDeadline(action, this.input.commandTimeoutMs, reply);
  }
}
