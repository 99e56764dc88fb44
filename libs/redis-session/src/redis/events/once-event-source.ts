import { type SessionEventSource, SessionLanes } from '../../session/session-event.js';
import { BackgroundLoop, FailureLog, jittered } from '../../lib/background-loop.js';
import {
  GROUP,
  HAND_ON_AFTER_MS,
  OnceEventPartition,
  type OnceEventSourceInput,
} from './once-event-partition.js';
import { MAX_EVENT_PAUSE_MS, MAX_EVENTS_AT_ONCE, takeAll } from './session-event-source.js';
import { withDeadline } from '../../lib/store-operation.js';
import { groupsOf } from '../client/redis-client.js';
import { takeOverEvents } from '../lua/scripts.generated.js';
import { type StreamEntry } from './session-event.mapper.js';

interface ScriptedClient {
  nestEventsTakeOver(
    ...args: (string | number)[]
  ): Promise<readonly (readonly (StreamEntry | null)[])[]>;
}

/** How often consumers of replicas that are gone are looked for, and for how long those were not seen. */
const CONSUMER_SWEEP_MS = 3_600_000;
const CONSUMER_LIFE_MS = 86_400_000;

/**
 * One replica handles each event: they share a consumer group of the streams. Events of different sessions are handled at
 * the same time, those of one session that a replica has taken one after the other, in order. An event is done when its
 * handler has resolved; until then it belongs to the replica that took it, and to another one after a minute. So a handler
 * sees an event at least once, and may see it again, under the same event id and after later ones, when its replica died or
 * was too slow. An event that was not handled within five deliveries is logged, by its event id, and dropped.
 */
export class OnceEventSource implements SessionEventSource {
  private readonly loop: BackgroundLoop;
  private readonly scripts: ScriptedClient;
  private readonly partitions: readonly OnceEventPartition[];
  private isStopped = false;
  private lastHandOnMs = -Infinity;
  private lastSweepMs = -Infinity;

  constructor(private readonly input: OnceEventSourceInput) {
    const { client } = input;
    // As for the claim of expired sessions: on a Redis Cluster the keys come first.
    client.defineCommand('nestEventsTakeOver', {
      ...takeOverEvents,
      ...(client.isCluster && { numberOfKeys: 1 }),
    });
    this.scripts = client as unknown as ScriptedClient;
    const shared = {
      failures: new FailureLog(input.logger),
      lanes: new SessionLanes(MAX_EVENTS_AT_ONCE),
    };
    this.partitions = input.keys.partitions.map(
      (partition, number) => new OnceEventPartition(input, shared, partition, number),
    );
    this.loop = new BackgroundLoop({
      action: 'handle the events of sessions',
      logger: input.logger,
      pauseMs: () => jittered(MAX_EVENT_PAUSE_MS),
      turn: () => this.turn(),
    });
  }

  start(): Promise<void> {
    this.isStopped = false;
    this.loop.start();
    return Promise.resolve();
  }

  /** What was taken is handled before. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.loop.stop();
    await this.idle();
    const dropped = this.partitions.map((partition) =>
      partition.dropConsumers(CONSUMER_LIFE_MS, true),
    );
    await Promise.allSettled(dropped);
  }

  /** Handles what there is, now. */
  async poll(): Promise<void> {
    await this.turn();
    do await this.idle();
    while ((await this.take()) > 0);
  }

  /** Takes what there is, as far as there is room, and does not wait for handlers. */
  private async turn(): Promise<void> {
    const nowMs = performance.now();
    const isHandOnDue =
      nowMs - this.lastHandOnMs >= (this.input.handOnAfterMs ?? HAND_ON_AFTER_MS) / 2;
    if (isHandOnDue) this.lastHandOnMs = nowMs;
    const [handOn] = isHandOnDue ? await Promise.allSettled([this.takeOver()]) : [];
    await this.take();
    if (handOn?.status === 'rejected') throw handOn.reason;
    if (nowMs - this.lastSweepMs < CONSUMER_SWEEP_MS) return;
    this.lastSweepMs = nowMs;
    // Only tidiness: a user of Redis without the right to it handles events all the same.
    await Promise.allSettled(
      this.partitions.map((partition) => partition.dropConsumers(CONSUMER_LIFE_MS, false)),
    );
  }

  /** Takes what other replicas have taken and not handled in time, as far as there is room. */
  private async takeOver(): Promise<void> {
    const { client, handOnAfterMs = HAND_ON_AFTER_MS, replicaName } = this.input;
    const takeOverGroup = async (group: readonly OnceEventPartition[]) => {
      const taken = await this.inGroup(group, 'take over events', () =>
        this.scripts.nestEventsTakeOver(
          ...[...(client.isCluster ? [] : [group.length]), ...group.map(({ key }) => key)],
          ...[GROUP, replicaName, handOnAfterMs, ...group.map(({ room }) => room)],
        ),
      );
      await Promise.all(group.map((partition, i) => partition.takeOver(taken[i] ?? [])));
    };
    const open = this.partitions.filter(({ room }) => room > 0);
    const results = await Promise.allSettled(groupsOf(client, open).map(takeOverGroup));
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
  }

  private take(): Promise<number> {
    const { client, replicaName } = this.input;
    const read = (group: readonly OnceEventPartition[], count: number) => {
      const streams = [...group.map(({ key }) => key), ...group.map(() => '>')];
      return this.inGroup(group, 'read events', () => {
        const options = ['GROUP', GROUP, replicaName, 'COUNT', count, 'STREAMS'] as const;
        return client.xreadgroup(...options, ...streams);
      });
    };
    return takeAll(client, this.partitions, read, () => this.isStopped);
  }

  private async idle(): Promise<void> {
    await Promise.all(this.partitions.map((partition) => partition.idle()));
  }

  /** Sends a command to partitions, whose consumer groups it creates when they may be missing. */
  private async inGroup<T>(
    partitions: readonly OnceEventPartition[],
    action: string,
    send: () => Promise<T>,
  ): Promise<T> {
    await Promise.all(partitions.map((partition) => partition.createGroup()));
    try {
      return await withDeadline(action, this.input.commandTimeoutMs, send());
    } catch (error) {
      for (const partition of partitions) partition.hasGroup = false;
      throw error;
    }
  }
}
