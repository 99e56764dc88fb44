import {
  type EventReaders,
  type RecordedEvent,
  toSessionEvent,
} from '../session/indexed/recorded-event.js';
import {
  OncePollingEventSource,
  type PolledEvent,
  PollingEventSource,
  type PollingEventSourceInput,
  type TakenEvent,
} from '../session/indexed/polling-event-source.js';
import { PRINCIPAL_INDEX } from '../session/indexed/session-indexing.js';
import { type eventStatements } from './event-statements.js';
import { type PostgresClient, type SqlValue, type Statement } from './postgres-client.js';
import { textsByName } from './postgres-session.mapper.js';

/** What the sources of events work with. */
export interface EventSourceInput extends PollingEventSourceInput, EventReaders {
  readonly client: PostgresClient;
  readonly statements: ReturnType<typeof eventStatements>;
}

/** `'once'`: an event is marked in its row while a replica handles it. */
export class OnceEventSource extends OncePollingEventSource {
  constructor(
    private readonly input: EventSourceInput,
    takeOverSeconds?: number,
  ) {
    super(input, takeOverSeconds);
  }

  protected override async read(count: number): Promise<TakenEvent[]> {
    const { client, statements } = this.input;
    const values = [count, this.takeOverSeconds];
    const rows = await client.run('take session events', statements.take, values);
    const inOrder = rows.toSorted(([a], [b]) => Number(a) - Number(b));
    return inOrder.map((row) => ({
      event: toSessionEvent(toRecordedEvent(row), this.input),
      deliveries: Number(row[10]),
    }));
  }

  protected override finish(eventId: string): Promise<unknown> {
    const { client, deletesHandled = true, statements } = this.input;
    const statement = deletesHandled ? statements.drop : statements.markHandled;
    return client.run('acknowledge a session event', statement, [eventId]);
  }
}

/** Where a replica is: transaction and event that it has read. */
interface Position {
  readonly transactionId: string;
  readonly eventId: string;
}

interface ReadEvent extends PolledEvent {
  readonly position: Position;
}

/**
 * Every replica handles each event. A replica that restarts under its name within a day goes on where it was; one with a
 * new name begins with what comes.
 */
export class BroadcastEventSource extends PollingEventSource<ReadEvent> {
  private position: Position | undefined;
  /** In order: events from the first one on that is not handled. */
  private readonly open: { readonly position: Position; isDone: boolean }[] = [];

  constructor(private readonly input: EventSourceInput) {
    super(input);
  }

  /** What happens from now on is not missed. */
  override async start(): Promise<void> {
    await this.begin();
    await super.start();
  }

  protected override async read(count: number): Promise<ReadEvent[]> {
    const { transactionId, eventId } = await this.begin();
    const { readAfter } = this.input.statements;
    const rows = await this.run('read session events', readAfter, [transactionId, eventId, count]);
    const events = rows.map((row) => ({
      event: toSessionEvent(toRecordedEvent(row), this.input),
      position: { transactionId: String(row[10]), eventId: String(row[0]) },
    }));
    this.position = events.at(-1)?.position ?? this.position;
    return events;
  }

  protected override async handle(read: ReadEvent): Promise<void> {
    const entry = { position: read.position, isDone: false };
    this.open.push(entry);
    await this.deliverInLane(read);
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
    if (noted.length === 0) await this.notePosition(this.position);
    return this.position;
  }

  /** After a restart the replica goes on with the first event that was not handled. */
  private async noteDone(): Promise<void> {
    const first = this.open.findIndex(({ isDone }) => !isDone);
    const done = this.open.splice(0, first < 0 ? this.open.length : first).at(-1);
    if (!done) return;
    await this.note('Events may be handled again.', () => this.notePosition(done.position));
  }

  private async notePosition({ transactionId, eventId }: Position): Promise<void> {
    const { isResumed = true, replicaName, statements } = this.input;
    if (!isResumed) return;
    const values = [replicaName, transactionId, eventId];
    await this.run('note the last event', statements.notePosition, values);
  }

  private run(action: string, statement: Statement, values: readonly SqlValue[]) {
    return this.input.client.run(action, statement, values);
  }
}

/** @param row - the columns of `event-statements.ts` */
function toRecordedEvent(row: readonly unknown[]): RecordedEvent {
  const [eventId, type, sessionId, previousId, reason, created, principal, others, texts, time] =
    row;
  const indexes = new Map(textsByName(others));
  if (typeof principal === 'string') indexes.set(PRINCIPAL_INDEX, principal);
  return {
    eventId: String(eventId),
    type: String(type),
    sessionId: String(sessionId),
    previousSessionId: typeof previousId === 'string' ? previousId : '',
    reason: typeof reason === 'string' ? reason : '',
    creationTime: Number(created),
    indexes,
    texts: new Map(textsByName(texts).map(([name, text]) => [name, fromBase64(text)])),
    occurredAt: new Date(Number(time)),
  };
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString();
}
