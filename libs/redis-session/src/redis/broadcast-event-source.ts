import { BackgroundLoop, jittered } from './background-loop.js';
import { withDeadline } from './deadline.js';
import {
  EVENT_BATCH_SIZE,
  EVENT_PAUSE_MS,
  type SessionEventSource,
  type SessionEventSourceInput,
} from './session-event-source.js';
import { type StreamEntry, toSessionEvent } from './session-event.mapper.js';

/** Seconds that Redis remembers how far a replica has read which does not run. */
const POSITION_LIFE_SECONDS = 86_400;

type StreamsReply = readonly (readonly [key: string, entries: readonly StreamEntry[]])[] | null;

/**
 * Every replica handles each event, those of one session in order. A replica that is restarted under the same name within a day goes on where it was, as
 * far as the streams reach back; one with a new name begins with what comes. An event is handled again when the replica
 * died before it had noted it.
 */
export class BroadcastEventSource implements SessionEventSource {
  private readonly loop: BackgroundLoop;
  private readonly positions = new Map<string, string>();

  constructor(private readonly input: SessionEventSourceInput) {
    this.loop = new BackgroundLoop({
      action: 'handle the events of sessions',
      logger: input.logger,
      pauseMs: () => jittered(EVENT_PAUSE_MS),
      turn: () => this.poll(),
    });
  }

  /** What happens from now on is not missed. */
  async start(): Promise<void> {
    await Promise.all(this.input.keys.partitions.map((partition) => this.positionOf(partition)));
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Handles what there is, now. */
  async poll(): Promise<void> {
    const { partitions } = this.input.keys;
    await Promise.all(partitions.map((partition, number) => this.pollPartition(partition, number)));
  }

  private async pollPartition(partition: string, number: number): Promise<void> {
    const { client, keys } = this.input;
    for (;;) {
      const position = await this.positionOf(partition);
      const reply = client.xread(
        ...(['COUNT', EVENT_BATCH_SIZE, 'STREAMS', keys.events(partition), position] as const),
      );
      const streams = (await this.inTime('read events', reply)) as StreamsReply;
      const entries = streams?.[0]?.[1] ?? [];
      for (const entry of entries) await this.handle(entry, number);
      const last = entries.at(-1)?.[0];
      if (last) await this.movePosition(partition, last);
      if (entries.length < EVENT_BATCH_SIZE) return;
    }
  }

  private async handle(entry: StreamEntry, number: number): Promise<void> {
    const { codec, handler, logger } = this.input;
    const event = toSessionEvent(entry, number, codec);
    if (!event) return;
    try {
      await handler(event);
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown reason';
      logger.warn(
        `Cannot handle a session event of type ${event.type}: a handler has failed (${reason}). Other replicas are not affected.`,
      );
    }
  }

  private async positionOf(partition: string): Promise<string> {
    const known = this.positions.get(partition);
    if (known !== undefined) return known;
    const { client, keys, replicaName } = this.input;
    const noted = client.get(keys.position(partition, replicaName));
    let position = await this.inTime('find the last event', noted);
    if (position === null) {
      const last = client.xrevrange(keys.events(partition), '+', '-', 'COUNT', 1);
      position = (await this.inTime('find the last event', last))[0]?.[0] ?? '0-0';
      await this.movePosition(partition, position);
    }
    this.positions.set(partition, position);
    return position;
  }

  private async movePosition(partition: string, position: string): Promise<void> {
    const { client, keys, replicaName } = this.input;
    const key = keys.position(partition, replicaName);
    await this.inTime('note the last event', client.setex(key, POSITION_LIFE_SECONDS, position));
    this.positions.set(partition, position);
  }

  private inTime<T>(action: string, reply: Promise<T>): Promise<T> {
    return withDeadline(action, this.input.commandTimeoutMs, reply);
  }
}
