import { setImmediate as breathe } from 'node:timers/promises';
import { withDeadline } from '../../lib/store-operation.js';
import { handleEvent } from '../../session/session-event.js';
import { dropConsumers } from '../lua/scripts.generated.js';
import {
  EVENT_BATCH_SIZE,
  type EventPartition,
  type SessionEventSourceInput,
  type SharedByPartitions,
} from './session-event-source.js';
import { type StreamEntry, toSessionEvent } from './session-event.mapper.js';

/** Long enough for a handler, short enough for a replica that died. */
export const HAND_ON_AFTER_MS = 60_000;

/** What a `OnceEventSource` is told beside what both kinds of sources work with. */
export interface OnceEventSourceInput extends SessionEventSourceInput {
  /** Ms after which another replica takes over an event that was not handled. @defaultValue {@link HAND_ON_AFTER_MS} */
  readonly handOnAfterMs?: number;
  /** Whether handled events are deleted; not when others read the same streams. */
  readonly deletesHandled?: boolean;
}

/** How often an event is delivered at most: what nobody can handle is not tried for ever. */
const MAX_EVENT_ATTEMPTS = 5;

/** The consumer group of all replicas. */
export const GROUP = 'handlers';

interface ScriptedClient {
  nestConsumersDrop(...args: (string | number)[]): Promise<number>;
}

/** One partition of a `OnceEventSource`: takes its events, has them handled, and acknowledges them. */
export class OnceEventPartition implements EventPartition {
  readonly key: string;
  /** Whether the consumer group was there when it was last asked for. */
  hasGroup = false;
  /** By entry id: the events that were taken and are not done. */
  private readonly inHand = new Map<string, Promise<void>>();
  private readonly done: string[] = [];
  private acknowledging: Promise<void> | undefined;

  /** @param number - of the partition, for the ids of its events */
  constructor(
    private readonly input: OnceEventSourceInput,
    private readonly shared: SharedByPartitions,
    partition: string,
    private readonly number: number,
  ) {
    this.key = input.keys.events(partition);
    input.client.defineCommand('nestConsumersDrop', dropConsumers);
  }

  async createGroup(): Promise<void> {
    if (this.hasGroup) return;
    const reply = this.input.client.xgroup('CREATE', this.key, GROUP, '0', 'MKSTREAM');
    await this.inTime('create the group of event handlers', reply).catch((error: unknown) => {
      if (!(error as Error).message.includes('BUSYGROUP')) throw error;
    });
    this.hasGroup = true;
  }

  get room(): number {
    return EVENT_BATCH_SIZE - this.inHand.size;
  }

  /** @param taken - events that another replica has taken and not handled in time; Redis 6.2 has null for those that were trimmed */
  async takeOver(taken: readonly (StreamEntry | null)[]): Promise<void> {
    const entries = taken.filter((entry) => entry !== null).filter(([id]) => !this.inHand.has(id));
    const attempts = await Promise.all(entries.map(([id]) => this.attemptsOf(id)));
    entries.forEach((entry, i) => {
      const attempt = attempts[i] ?? 0;
      if (attempt > MAX_EVENT_ATTEMPTS) this.giveUp(entry[0]);
      else this.begin([entry], attempt === MAX_EVENT_ATTEMPTS);
    });
  }

  /** Resolves when all that was taken is done and acknowledged, or has failed. */
  async idle(): Promise<void> {
    await Promise.all(this.inHand.values());
    await this.acknowledging;
  }

  /** Removes consumers with nothing in hand: one that has not been seen for `idleMs`, and this replica's own if `isOwn`. */
  async dropConsumers(idleMs: number, isOwn: boolean): Promise<void> {
    const scripts = this.input.client as unknown as ScriptedClient;
    const name = isOwn ? this.input.replicaName : '';
    const reply = scripts.nestConsumersDrop(this.key, GROUP, idleMs, isOwn ? '1' : '0', name);
    await this.inTime('remove event handlers that are gone', reply);
  }

  /** @param isLastAttempt - whether the events are not delivered again */
  begin(entries: readonly StreamEntry[], isLastAttempt = false): void {
    for (const entry of entries) {
      const [id] = entry;
      const handled = this.handle(entry, isLastAttempt).then(() => void this.inHand.delete(id));
      this.inHand.set(id, handled);
    }
  }

  private async handle(entry: StreamEntry, isLastAttempt: boolean): Promise<void> {
    const { handOnAfterMs = HAND_ON_AFTER_MS, logger } = this.input;
    const takenMs = performance.now();
    const event = toSessionEvent(entry, this.number, this.input);
    if (!event) {
      this.finish(entry[0]);
      return;
    }
    await this.shared.lanes.add(event.sessionId, async () => {
      // It has waited for its turn so long that it may be somebody else's by now. The last time, its handler sees it anyway.
      const isLate = performance.now() - takenMs >= handOnAfterMs;
      if (isLate && handOnAfterMs > 0 && !isLastAttempt) return;
      const failure = await handleEvent(event, this.input);
      if (failure === undefined) this.finish(entry[0]);
      else
        logger.warn(
          `Cannot handle a session event of type ${event.type}: a handler has failed (${failure}). It will be delivered again.`,
        );
    });
  }

  /** How often an event was delivered, this time included. */
  private async attemptsOf(id: string): Promise<number> {
    const reply = this.input.client.xpending(this.key, GROUP, id, id, 1);
    const [pending] = (await this.inTime('count deliveries', reply)) as [
      string,
      string,
      number,
      number,
    ][];
    return pending?.[3] ?? 0;
  }

  private giveUp(id: string): void {
    this.input.logger.error(
      `Cannot handle the session event ${this.number}-${id}: it was not handled within ${MAX_EVENT_ATTEMPTS} deliveries. It is dropped; check the handlers.`,
    );
    this.finish(id);
  }

  private finish(id: string): void {
    this.done.push(id);
    this.acknowledging ??= this.acknowledge().finally(() => (this.acknowledging = undefined));
  }

  /** Those that are done at about the same time together. */
  private async acknowledge(): Promise<void> {
    const { client, deletesHandled = true } = this.input;
    const { failures } = this.shared;
    await breathe();
    while (this.done.length > 0) {
      const ids = this.done.splice(0);
      try {
        await this.inTime('acknowledge events', client.xack(this.key, GROUP, ...ids));
        if (deletesHandled) await this.inTime('drop events', client.xdel(this.key, ...ids));
        failures.worked();
      } catch (error) {
        failures.failed(`${(error as Error).message} The events may be delivered again.`);
      }
    }
  }

  private inTime<T>(action: string, reply: Promise<T>): Promise<T> {
    return withDeadline(action, this.input.commandTimeoutMs, reply);
  }
}
