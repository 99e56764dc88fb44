import { BackgroundLoop, FailureLog, jittered } from '../lib/background-loop.js';
import { type SessionLogger } from '../lib/logger.js';
import {
  SessionLanes,
  handleEvent,
  type SessionEventSource,
  type SessionEventSubscription,
} from '../session/session-event.js';
import { type EventReaders, toSessionEvent } from './event.mapper.js';
import { type eventStatements } from './event-statements.js';
import { type PostgresClient, type SqlValue, type Statement } from './postgres-client.js';

/** What the sources of events work with. */
export interface EventSourceInput extends SessionEventSubscription, EventReaders {
  readonly client: PostgresClient;
  readonly logger: SessionLogger;
  readonly statements: ReturnType<typeof eventStatements>;
  /** Seconds after which another replica takes over an event that is not handled. @defaultValue 60 */
  readonly takeOverSeconds?: number;
}

type EventRow = readonly unknown[];

/** Ms between two looks at the events. */
const PAUSE_MS = 250;
/** How many events a replica has read and not yet handled at most. */
const MAX_IN_HAND = 50;
const TAKE_OVER_SECONDS = 60;
/** How often an event is delivered at most: what nobody can handle is not tried for ever. */
const MAX_DELIVERIES = 5;

/** Looks for events again and again, and handles those of one session in order, one after the other. */
abstract class PollingEventSource implements SessionEventSource {
  protected readonly failures: FailureLog;
  private readonly lanes = new SessionLanes(MAX_IN_HAND);
  private readonly inHand = new Set<Promise<void>>();
  private readonly loop: BackgroundLoop;
  private isStopped = false;

  constructor(protected readonly input: EventSourceInput) {
    const { logger } = input;
    this.failures = new FailureLog(logger);
    this.loop = new BackgroundLoop({
      action: 'handle the events of sessions',
      logger,
      pauseMs: () => jittered(PAUSE_MS),
      turn: () => this.takeAll(),
    });
  }

  /** @returns at most `count` events that were not read before */
  protected abstract read(count: number): Promise<readonly EventRow[]>;
  /** Handles one event, and never rejects. */
  protected abstract handle(row: EventRow): Promise<void>;

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
  protected inLane(row: EventRow, work: () => Promise<void>): Promise<void> {
    return this.lanes.add(String(row[2]), work);
  }

  /** @returns why a handler has failed, or undefined */
  protected async deliver(row: EventRow): Promise<string | undefined> {
    return handleEvent(toSessionEvent(row, this.input), this.input);
  }

  protected run(action: string, statement: Statement, values: readonly SqlValue[]) {
    return this.input.client.run(action, statement, values);
  }

  private async takeAll(): Promise<void> {
    while (!this.isStopped && (await this.take()) > 0);
  }

  private async take(): Promise<number> {
    const room = MAX_IN_HAND - this.inHand.size;
    if (room <= 0) return 0;
    const rows = await this.read(room);
    for (const row of rows) {
      const handled = this.handle(row).finally(() => this.inHand.delete(handled));
      this.inHand.add(handled);
    }
    return rows.length;
  }

  protected async idle(): Promise<void> {
    await Promise.all(this.inHand);
  }
}

/**
 * One replica handles each event. It takes events for a minute; another replica takes over what is not handled then, up to
 * five times.
 */
export class OnceEventSource extends PollingEventSource {
  protected override async read(count: number): Promise<readonly EventRow[]> {
    const { take } = this.input.statements;
    const rows = await this.run('take session events', take, [count, this.takeOverSeconds]);
    return rows.toSorted(([a], [b]) => Number(a) - Number(b));
  }

  protected override async handle(row: EventRow): Promise<void> {
    const { logger } = this.input;
    const [eventId, type, , , , , , , , , deliveries] = row;
    const takenMs = Date.now();
    await this.inLane(row, async () => {
      if (Number(deliveries) > MAX_DELIVERIES) {
        logger.error(
          `Cannot handle the session event ${String(eventId)}: it was delivered ${MAX_DELIVERIES} times in vain. It is dropped; check the handlers.`,
        );
        return this.finish(String(eventId));
      }
      // It has waited for its turn so long that it may be somebody else's by now.
      const isLate = Date.now() - takenMs >= this.takeOverSeconds * 1000;
      if (isLate && this.takeOverSeconds > 0) return;
      const failure = await this.deliver(row);
      if (failure === undefined) return this.finish(String(eventId));
      logger.warn(
        `Cannot handle a session event of type ${String(type)}: a handler has failed (${failure}). It will be delivered again.`,
      );
    });
  }

  private get takeOverSeconds(): number {
    return this.input.takeOverSeconds ?? TAKE_OVER_SECONDS;
  }

  private async finish(eventId: string): Promise<void> {
    const { deletesHandled = true, statements } = this.input;
    const statement = deletesHandled ? statements.drop : statements.markHandled;
    try {
      await this.run('acknowledge a session event', statement, [eventId]);
      this.failures.worked();
    } catch (error) {
      this.failures.failed(`${(error as Error).message} The event may be delivered again.`);
    }
  }
}

/** Where a replica is: transaction and event that it has read. */
interface Position {
  readonly transactionId: string;
  readonly eventId: string;
}

/**
 * Every replica handles each event. A replica that restarts under its name within a day goes on where it was; one with a
 * new name begins with what comes.
 */
export class BroadcastEventSource extends PollingEventSource {
  private position: Position | undefined;
  /** In order: events from the first one on that is not handled. */
  private readonly open: { readonly position: Position; isDone: boolean }[] = [];

  /** What happens from now on is not missed. */
  override async start(): Promise<void> {
    await this.begin();
    await super.start();
  }

  protected override async read(count: number): Promise<readonly EventRow[]> {
    const { transactionId, eventId } = await this.begin();
    const { readAfter } = this.input.statements;
    const rows = await this.run('read session events', readAfter, [transactionId, eventId, count]);
    const last = rows.at(-1);
    if (last) this.position = positionOf(last);
    return rows;
  }

  protected override async handle(row: EventRow): Promise<void> {
    const entry = { position: positionOf(row), isDone: false };
    this.open.push(entry);
    await this.inLane(row, async () => {
      const failure = await this.deliver(row);
      if (failure === undefined) return;
      this.input.logger.warn(
        `Cannot handle a session event of type ${String(row[1])}: a handler has failed (${failure}). Other replicas are not affected.`,
      );
    });
    entry.isDone = true;
    await this.noteDone();
  }

  private async begin(): Promise<Position> {
    if (this.position) return this.position;
    const { isResumed = true, replicaName, statements } = this.input;
    const noted = isResumed
      ? await this.run('find the last event', statements.notedPosition, [replicaName])
      : [];
    const [row] =
      noted.length > 0 ? noted : await this.run('find the last event', statements.lastPosition, []);
    this.position = { transactionId: String(row?.[0]), eventId: String(row?.[1]) };
    if (noted.length === 0) await this.note(this.position);
    return this.position;
  }

  /** After a restart the replica goes on with the first event that was not handled. */
  private async noteDone(): Promise<void> {
    const first = this.open.findIndex(({ isDone }) => !isDone);
    const done = this.open.splice(0, first < 0 ? this.open.length : first).at(-1);
    if (!done) return;
    try {
      await this.note(done.position);
      this.failures.worked();
    } catch (error) {
      this.failures.failed(`${(error as Error).message} Events may be handled again.`);
    }
  }

  private async note({ transactionId, eventId }: Position): Promise<void> {
    const { isResumed = true, replicaName, statements } = this.input;
    if (!isResumed) return;
    const values = [replicaName, transactionId, eventId];
    await this.run('note the last event', statements.notePosition, values);
  }
}

function positionOf(row: EventRow): Position {
  return { transactionId: String(row[10]), eventId: String(row[0]) };
}
