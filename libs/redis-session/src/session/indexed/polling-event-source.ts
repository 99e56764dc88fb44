import { BackgroundLoop, FailureLog, jittered } from '../../lib/background-loop.js';
import { type SessionLogger } from '../../lib/logger.js';
import {
  type EventHandling,
  SessionLanes,
  type SessionEvent,
  type SessionEventSource,
  type SessionEventSubscription,
  handleEvent,
} from '../session-event.js';

/** What the sources of events work with. */
export interface PollingEventSourceInput extends SessionEventSubscription, EventHandling {
  readonly logger: SessionLogger;
}

/** An event that was read, and what its source knows of it. */
export interface PolledEvent {
  readonly event: SessionEvent;
}

/** Ms between two looks at the events. */
const PAUSE_MS = 250;
/** How many events a replica has read and not yet handled at most. */
const MAX_IN_HAND = 50;
/** Seconds after which another replica takes over an event that is not handled. */
const TAKE_OVER_SECONDS = 60;
/** How often an event is delivered at most: what nobody can handle is not tried for ever. */
const MAX_DELIVERIES = 5;

/** Looks for events again and again, and handles those of one session in order, one after the other. */
export abstract class PollingEventSource<E extends PolledEvent> implements SessionEventSource {
  protected readonly failures: FailureLog;
  private readonly lanes = new SessionLanes(MAX_IN_HAND);
  private readonly inHand = new Set<Promise<void>>();
  private readonly loop: BackgroundLoop;
  private isStopped = false;

  constructor(protected readonly subscription: PollingEventSourceInput) {
    const { logger } = subscription;
    this.failures = new FailureLog(logger);
    this.loop = new BackgroundLoop({
      action: 'handle the events of sessions',
      logger,
      pauseMs: () => jittered(PAUSE_MS),
      turn: () => this.takeAll(),
    });
  }

  /** @returns at most `count` events that were not read before, in order */
  protected abstract read(count: number): Promise<readonly E[]>;
  /** Handles one event, and never rejects. */
  protected abstract handle(polled: E): Promise<void>;

  start(): Promise<void> {
    this.isStopped = false;
    this.loop.start();
    return Promise.resolve();
  }

  /** What was read is handled before. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.loop.stop();
    await this.idle();
  }

  /** Handles what there is, now. */
  async poll(): Promise<void> {
    do {
      await this.takeAll();
      await this.idle();
    } while ((await this.take()) > 0);
    await this.idle();
  }

  /** Runs `work` after what is under way for the same session. */
  protected inLane({ event }: E, work: () => Promise<void>): Promise<void> {
    return this.lanes.add(event.sessionId, work);
  }

  /** Delivers `polled` in its lane. A handler that fails does not get it again: each replica has an event of its own. */
  protected deliverInLane(polled: E): Promise<void> {
    return this.inLane(polled, async () => {
      await this.deliver(polled, 'Other replicas are not affected.');
    });
  }

  /** @param consequence - what it means that the handler has failed @returns whether it has worked */
  protected async deliver({ event }: E, consequence: string): Promise<boolean> {
    const failure = await handleEvent(event, this.subscription);
    if (failure === undefined) return true;
    this.subscription.logger.warn(
      `Cannot handle a session event of type ${event.type}: a handler has failed (${failure}). ${consequence}`,
    );
    return false;
  }

  /** Notes what was handled. A failure is told once. @param consequence - what it means */
  protected async note(consequence: string, noting: () => Promise<unknown>): Promise<void> {
    try {
      await noting();
      this.failures.worked();
    } catch (error) {
      this.failures.failed(`${(error as Error).message} ${consequence}`);
    }
  }

  private async takeAll(): Promise<void> {
    while (!this.isStopped && (await this.take()) > 0);
  }

  private async take(): Promise<number> {
    const room = MAX_IN_HAND - this.inHand.size;
    if (room <= 0) return 0;
    const events = await this.read(room);
    for (const event of events) {
      const handled = this.handle(event).finally(() => this.inHand.delete(handled));
      this.inHand.add(handled);
    }
    return events.length;
  }

  private async idle(): Promise<void> {
    await Promise.all(this.inHand);
  }
}

/** An event that this replica has taken. */
export interface TakenEvent extends PolledEvent {
  /** How often it was taken, this time included. */
  readonly deliveries: number;
}

/**
 * One replica handles each event. It takes events for a minute; another replica takes over what is not handled then, up to
 * five times.
 */
export abstract class OncePollingEventSource extends PollingEventSource<TakenEvent> {
  /** @param takeOverSeconds - after which another replica takes over an event that is not handled */
  constructor(
    subscription: PollingEventSourceInput,
    protected readonly takeOverSeconds = TAKE_OVER_SECONDS,
  ) {
    super(subscription);
  }

  /** No replica takes the event again. */
  protected abstract finish(eventId: string): Promise<unknown>;

  protected override async handle(taken: TakenEvent): Promise<void> {
    const { eventId } = taken.event;
    const takenMs = Date.now();
    await this.inLane(taken, async () => {
      if (taken.deliveries > MAX_DELIVERIES) {
        this.subscription.logger.error(
          `Cannot handle the session event ${eventId}: it was not handled within ${MAX_DELIVERIES} deliveries. It is dropped; check the handlers.`,
        );
        return this.noteFinished(eventId);
      }
      // It has waited for its turn so long that it may be somebody else's by now. The last time, its handler sees it anyway.
      const isLate = Date.now() - takenMs >= this.takeOverSeconds * 1000;
      if (isLate && this.takeOverSeconds > 0 && taken.deliveries < MAX_DELIVERIES) return;
      if (await this.deliver(taken, 'It will be delivered again.'))
        await this.noteFinished(eventId);
    });
  }

  private noteFinished(eventId: string): Promise<void> {
    return this.note('The event may be delivered again.', () => this.finish(eventId));
  }
}
