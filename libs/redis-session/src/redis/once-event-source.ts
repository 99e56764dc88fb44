import { BackgroundLoop, jittered } from './background-loop.js';
import { withDeadline } from './deadline.js';
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

/** The consumer group of all replicas. */
const GROUP = 'handlers';

type StreamsReply = readonly (readonly [key: string, entries: readonly StreamEntry[]])[] | null;

/**
 * One replica handles each event: they share a consumer group of the streams. The events of one session come in order,
 * one after the other, unless one is handed on. An event is done when its handler has
 * resolved; until then it belongs to the replica that took it, and to another one after a minute. So a handler sees an
 * event at least once, and may see it again, under the same event id, when its replica died or was too slow.
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
    if (isHandOnDue) await this.handleAll(key, number, await this.takeOver(key));
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
  private async takeOver(key: string): Promise<readonly StreamEntry[]> {
    const { client, handOnAfterMs, replicaName } = this.input;
    const reply = client.xautoclaim(
      ...([key, GROUP, replicaName, handOnAfterMs, '0-0', 'COUNT', EVENT_BATCH_SIZE] as const),
    );
    const [, entries] = (await this.inTime('take over events', reply)) as [string, StreamEntry[]];
    return entries;
  }

  private async handleAll(
    key: string,
    number: number,
    entries: readonly StreamEntry[],
  ): Promise<void> {
    const done: string[] = [];
    for (const entry of entries) if (await this.handle(entry, number)) done.push(entry[0]);
    if (done.length === 0) return;
    const { client, deletesHandled } = this.input;
    await this.inTime('acknowledge events', client.xack(key, GROUP, ...done));
    if (deletesHandled) await this.inTime('drop handled events', client.xdel(key, ...done));
  }

  /** @returns whether the event is done */
  private async handle(entry: StreamEntry, number: number): Promise<boolean> {
    const { codec, handler, logger } = this.input;
    const event = toSessionEvent(entry, number, codec);
    if (!event) return true;
    try {
      await handler(event);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown reason';
      logger.warn(
        `Cannot handle a session event of type ${event.type}: a handler has failed (${reason}). It will be delivered again.`,
      );
      return false;
    }
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
