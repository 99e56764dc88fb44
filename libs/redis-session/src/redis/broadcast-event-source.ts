import { BackgroundLoop, jittered } from './background-loop.js';
import {
  BroadcastEventPartition,
  type BroadcastEventSourceInput,
} from './broadcast-event-partition.js';
import {
  EVENT_PAUSE_MS,
  MAX_EVENTS_AT_ONCE,
  type SessionEventSource,
} from './session-event-source.js';
import { FailureLog } from './failure-log.js';
import { SessionLanes } from './session-lanes.js';
import { takeAll } from './take-all.js';

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

  constructor(input: BroadcastEventSourceInput) {
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
      pauseMs: () => jittered(EVENT_PAUSE_MS),
      turn: async () => {
        await this.take();
      },
    });
  }

  /** What happens from now on is not missed. */
  async start(): Promise<void> {
    await Promise.all(this.partitions.map((partition) => partition.begin()));
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
    return takeAll(this.partitions, () => this.isStopped);
  }

  private async idle(): Promise<void> {
    await Promise.all(this.partitions.map((partition) => partition.idle()));
  }
}
