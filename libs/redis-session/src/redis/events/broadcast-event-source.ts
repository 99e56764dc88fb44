import { SessionLanes, handleEvent, type SessionEventSource } from '../../session/session-event.js';
import { BackgroundLoop, FailureLog, jittered } from '../../lib/background-loop.js';
import {
  EVENT_BATCH_SIZE,
  MAX_EVENT_PAUSE_MS,
  MAX_EVENTS_AT_ONCE,
  type SessionEventSourceInput,
  type EventPartition,
  type SharedByPartitions,
  type StreamsReply,
  takeAll,
} from './session-event-source.js';
import { setImmediate as breathe } from 'node:timers/promises';
import { withDeadline } from '../../lib/store-operation.js';
import { type StreamEntry, toSessionEvent } from './session-event.mapper.js';

/**
 * Every replica handles each event: those of different sessions at the same time, those of one session one after the other,
 * in order. A replica that is restarted under the same name within a day goes on where it was, as far as the streams reach
 * back; one with a new name begins with what comes. An event is handled again when the replica died before it and all
 * earlier ones of the partition were done and that was noted.
 */
export class BroadcastEventSource implements SessionEventSource {
  private readonly loop: BackgroundLoop;
  private readonly partitions: readonly BroadcastEventPartition[];
  private isStopped = false;

  constructor(private readonly input: BroadcastEventSourceInput) {
    const shared = {
      failures: new FailureLog(input.logger),
      lanes: new SessionLanes(MAX_EVENTS_AT_ONCE),
    };
    this.partitions = input.keys.partitions.map(
      (partition, number) => new BroadcastEventPartition(input, shared, partition, number),
    );
    this.loop = new BackgroundLoop({
      action: 'handle the events of sessions',
      logger: input.logger,
      pauseMs: () => jittered(MAX_EVENT_PAUSE_MS),
      turn: async () => {
        await this.take();
      },
    });
  }

  /** What happens from now on is not missed. */
  async start(): Promise<void> {
    await Promise.all(this.partitions.map((partition) => partition.findPosition()));
    this.isStopped = false;
    this.loop.start();
  }

  /** What was read is handled before. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.loop.stop();
    await this.idle();
  }

  /** Handles what there is, now. */
  async poll(): Promise<void> {
    while ((await this.take()) > 0) await this.idle();
  }

  private take(): Promise<number> {
    const read = (group: readonly BroadcastEventPartition[], count: number) =>
      this.read(group, count);
    return takeAll(this.input.client, this.partitions, read, () => this.isStopped);
  }

  private async read(
    group: readonly BroadcastEventPartition[],
    count: number,
  ): Promise<StreamsReply> {
    const { client, commandTimeoutMs } = this.input;
    const positions = await Promise.all(group.map((partition) => partition.findPosition()));
    const streams = [...group.map(({ key }) => key), ...positions];
    const reply = client.xread('COUNT', count, 'STREAMS', ...streams);
    return withDeadline('read events', commandTimeoutMs, reply);
  }

  private async idle(): Promise<void> {
    await Promise.all(this.partitions.map((partition) => partition.idle()));
  }
}

/** What a `BroadcastEventSource` is told beside what both kinds of sources work with. */
export interface BroadcastEventSourceInput extends SessionEventSourceInput {
  /** Whether a restarted replica goes on where it was; else it begins with what comes. @defaultValue true */
  readonly isResumed?: boolean;
}

/** Seconds that Redis remembers how far a replica has read which does not run. */
const POSITION_LIFE_SECONDS = 86_400;

/** One partition of a `BroadcastEventSource`: reads its events, has them handled, and notes how far all are done. */
class BroadcastEventPartition implements EventPartition {
  readonly key: string;
  /** The last event that was read; undefined = not known yet. */
  private position: string | undefined;
  /** In the order of the stream: the events that were read, up to the first one that is not done and from there on. */
  private inHand: { readonly id: string; readonly handled: Promise<void>; isDone: boolean }[] = [];
  private noting: Promise<void> | undefined;
  private done: string | undefined;

  /** @param number - of the partition, for the ids of its events */
  constructor(
    private readonly input: BroadcastEventSourceInput,
    private readonly shared: SharedByPartitions,
    private readonly partition: string,
    private readonly number: number,
  ) {
    this.key = input.keys.events(partition);
  }

  /** What happens from now on is not missed. */
  async findPosition(): Promise<string> {
    if (this.position !== undefined) return this.position;
    const { client } = this.input;
    let position = await this.notedPosition();
    if (position === null) {
      const last = client.xrevrange(this.key, '+', '-', 'COUNT', 1);
      position = (await this.inTime('find the last event', last))[0]?.[0] ?? '0-0';
      await this.note(position);
    }
    this.position = position;
    return position;
  }

  get room(): number {
    return EVENT_BATCH_SIZE - this.inHand.filter(({ isDone }) => !isDone).length;
  }

  begin(entries: readonly StreamEntry[]): void {
    for (const entry of entries) this.handleLater(entry);
    this.position = entries.at(-1)?.[0] ?? this.position;
  }

  /** Resolves when all that was read is done and noted. */
  async idle(): Promise<void> {
    await Promise.all(this.inHand.map(({ handled }) => handled));
    await this.noting;
  }

  private handleLater(entry: StreamEntry): void {
    const [id] = entry;
    const handled = this.handle(entry).then(() => {
      own.isDone = true;
      this.forgetDone();
    });
    const own = { id, handled, isDone: false };
    this.inHand.push(own);
  }

  private async handle(entry: StreamEntry): Promise<void> {
    const { logger } = this.input;
    const event = toSessionEvent(entry, this.number, this.input);
    if (!event) return;
    await this.shared.lanes.add(event.sessionId, async () => {
      const failure = await handleEvent(event, this.input);
      if (failure === undefined) return;
      logger.warn(
        `Cannot handle a session event of type ${event.type}: a handler has failed (${failure}). Other replicas are not affected.`,
      );
    });
  }

  /** After a restart the replica goes on with the first event that was not done. */
  private forgetDone(): void {
    const first = this.inHand.findIndex(({ isDone }) => !isDone);
    const forgotten = this.inHand.splice(0, first < 0 ? this.inHand.length : first);
    this.done = forgotten.at(-1)?.id ?? this.done;
    if (this.input.isResumed === false || forgotten.length === 0) return;
    this.noting ??= this.noteDone().finally(() => (this.noting = undefined));
  }

  /** What is done at about the same time together. */
  private async noteDone(): Promise<void> {
    const { failures } = this.shared;
    await breathe();
    while (this.done !== undefined) {
      const { done } = this;
      this.done = undefined;
      try {
        await this.note(done);
        failures.worked();
      } catch (error) {
        failures.failed(`${(error as Error).message} Events may be handled again.`);
      }
    }
  }

  private async notedPosition(): Promise<string | null> {
    const { client, isResumed = true, keys, replicaName } = this.input;
    if (!isResumed) return null;
    const noted = client.get(keys.position(this.partition, replicaName));
    return this.inTime('find the last event', noted);
  }

  private async note(position: string): Promise<void> {
    const { client, isResumed = true, keys, replicaName } = this.input;
    if (!isResumed) return;
    const key = keys.position(this.partition, replicaName);
    await this.inTime('note the last event', client.setex(key, POSITION_LIFE_SECONDS, position));
  }

  private inTime<T>(action: string, reply: Promise<T>): Promise<T> {
    return withDeadline(action, this.input.commandTimeoutMs, reply);
  }
}
