import { randomUUID } from 'node:crypto';
import { type EventReaders } from '../../session/indexed/recorded-event.js';
import {
  OncePollingEventSource,
  type PolledEvent,
  PollingEventSource,
  type PollingEventSourceInput,
  type TakenEvent,
} from '../../session/indexed/polling-event-source.js';
import { type SessionEventSource } from '../../session/session-event.js';
import { type DeadlineRunner, type NextCommand } from '../deadline-runner.js';
import { type SessionCollections } from '../session-collections.js';
import { type ToldEvents, eventOf } from './told-events.js';

/** What the sources of events work with. */
export interface EventSourceInput extends PollingEventSourceInput, EventReaders {
  readonly collections: SessionCollections;
  readonly runner: DeadlineRunner;
  readonly told: ToldEvents;
}

/** The source of the events for one replica. */
export function createEventSource(input: EventSourceInput): SessionEventSource {
  return input.delivery === 'once' ? new OnceEventSource(input) : new BroadcastEventSource(input);
}

const IN_ORDER = { at: 1, place: 1 } as const;
/** Ms between two notes that a replica is alive. */
const ALIVE_MS = 3_600_000;

/** `'once'`: an event is marked in its document while a replica handles it. */
export class OnceEventSource extends OncePollingEventSource {
  constructor(
    private readonly input: EventSourceInput,
    takeOverSeconds?: number,
  ) {
    super(input, takeOverSeconds);
  }

  protected override read(count: number): Promise<TakenEvent[]> {
    return this.input.runner.run('take session events', async (next) => {
      await this.input.told.tellAll(next);
      return this.takeFree(count, next);
    });
  }

  protected override finish(eventId: string): Promise<unknown> {
    const { collections, deletesHandled = true, runner } = this.input;
    // It stays without its contents for a while: a replica that copies it late finds it there.
    const $unset = deletesHandled ? { attributes: '' as const, indexes: '' as const } : undefined;
    const update = { $set: { isHandled: true }, ...($unset ? { $unset } : {}) };
    return runner.run('acknowledge a session event', (next) =>
      collections.events.updateOne({ _id: eventId }, update, next()),
    );
  }

  private async takeFree(count: number, next: NextCommand): Promise<TakenEvent[]> {
    const { events } = this.input.collections;
    const nowMs = Date.now();
    const free = { isHandled: false, takenUntil: { $lte: new Date(nowMs) } };
    const found = await events
      .find(free, { ...next(), limit: count, projection: { _id: 1 }, sort: IN_ORDER })
      .toArray();
    if (found.length === 0) return [];
    const takenBy = randomUUID();
    const takenUntil = new Date(nowMs + this.takeOverSeconds * 1000);
    await events.updateMany(
      { _id: { $in: found.map(({ _id }) => _id) }, ...free },
      { $set: { takenBy, takenUntil }, $inc: { deliveries: 1 } },
      next(),
    );
    const taken = await events.find({ takenBy }, { ...next(), sort: IN_ORDER }).toArray();
    return taken.map((document) => ({
      event: eventOf(document, this.input),
      deliveries: document.deliveries,
    }));
  }
}

/**
 * Every replica handles each event, and notes its name in it. A replica that restarts under its name within a day goes on
 * where it was; one with a new name begins with what comes.
 */
export class BroadcastEventSource extends PollingEventSource<PolledEvent> {
  private readonly name: string;
  /** Ids of events that are read and not noted as handled. */
  private readonly open = new Set<string>();
  private aliveMs = -Infinity;

  constructor(private readonly input: EventSourceInput) {
    super(input);
    const { isResumed = true, replicaName } = input;
    this.name = isResumed ? replicaName : `${replicaName} ${randomUUID()}`;
  }

  /** What happens from now on is not missed. */
  override async start(): Promise<void> {
    await this.input.runner.run('find the last event', (next) => this.begin(next));
    await super.start();
  }

  protected override async read(count: number): Promise<PolledEvent[]> {
    const { collections, runner, told } = this.input;
    const found = await runner.run('read session events', async (next) => {
      await this.begin(next);
      await told.tellAll(next);
      const unseen = { seenBy: { $ne: this.name }, _id: { $nin: [...this.open] } };
      return collections.events.find(unseen, { ...next(), limit: count, sort: IN_ORDER }).toArray();
    });
    const events = found.map((document) => ({ event: eventOf(document, this.input) }));
    for (const { event } of events) this.open.add(event.eventId);
    return events;
  }

  protected override async handle(polled: PolledEvent): Promise<void> {
    await this.deliverInLane(polled);
    const { eventId } = polled.event;
    await this.note('Events may be handled again after a restart.', async () => {
      await this.markSeen(eventId);
      this.open.delete(eventId);
    });
  }

  private markSeen(eventId: string): Promise<unknown> {
    const { collections, runner } = this.input;
    const update = { $addToSet: { seenBy: this.name } };
    return runner.run('note the last event', (next) =>
      collections.events.updateOne({ _id: eventId }, update, next()),
    );
  }

  /** Notes now and then that there is this replica. One that is new has nothing to do with what is there. */
  private async begin(next: NextCommand): Promise<void> {
    const { collections, told } = this.input;
    if (performance.now() - this.aliveMs < ALIVE_MS) return;
    const { upsertedCount } = await collections.replicas.updateOne(
      { _id: this.name },
      { $set: { at: new Date() } },
      { upsert: true, ...next() },
    );
    if (upsertedCount > 0) {
      await told.tellAll(next);
      await collections.events.updateMany({}, { $addToSet: { seenBy: this.name } }, next());
    }
    this.aliveMs = performance.now();
  }
}
