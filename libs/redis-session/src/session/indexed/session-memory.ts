import { LruMap } from '../../lib/lru-map.js';
import { type StoredSession } from '../session-change.js';
import { expiryTimeMs } from '../session-times.js';
import {
  type PolledEvent,
  OncePollingEventSource,
  PollingEventSource,
  type PollingEventSourceInput,
  type TakenEvent,
} from './polling-event-source.js';
import { type EventReaders, type RecordedEvent, toSessionEvent } from './recorded-event.js';
import { type IndexValues } from './session-indexing.js';

/** A session, and the values under which it is found. */
interface IndexedSession extends StoredSession {
  readonly indexValues: IndexValues;
}

/** Sessions in memory by id, and what is known of those that have ended. Repositories of one process may share it. */
export class SessionMemory {
  readonly sessions = new Map<string, StoredSession>();
  /** Why somebody else has ended a session, by its id. */
  readonly reasons = new LruMap<string>(10_000);
  readonly events = new MemoryEvents();

  /** Sessions with one of the values in the index `name`. */
  findBy(name: string, values: readonly string[]): [string, StoredSession][] {
    return [...this.sessions].filter(([, stored]) => {
      const value = indexValuesOf(stored).get(name);
      return value !== undefined && values.includes(value);
    });
  }

  /** @param changed - undefined = the session leaves the index */
  changeIndexes(
    id: string,
    before: IndexValues,
    changed: ReadonlyMap<string, string | undefined>,
  ): void {
    const stored = this.sessions.get(id);
    if (!stored) return;
    const values = new Map([...before, ...changed]);
    for (const [name, value] of values) if (value === undefined) values.delete(name);
    const session: IndexedSession = { ...stored, indexValues: values as IndexValues };
    this.sessions.set(id, session);
  }
}

/** The values under which a session is found. */
export function indexValuesOf(stored: StoredSession | undefined): IndexValues {
  return stored && 'indexValues' in stored ? (stored as IndexedSession).indexValues : new Map();
}

/** Compares two sessions so that those that live longest come first. */
export function byEnd(absoluteTimeoutSeconds?: number) {
  const endOf = (session: StoredSession) => expiryTimeMs(session, absoluteTimeoutSeconds);
  return (one: StoredSession, other: StoredSession): number => {
    const [end, otherEnd] = [endOf(one), endOf(other)];
    return end === otherEnd ? other.creationTime - one.creationTime : otherEnd - end;
  };
}

/** Compares two sessions so that those that were used last come first. */
export function byAccess(one: StoredSession, other: StoredSession): number {
  return other.lastAccessedTime - one.lastAccessedTime || other.creationTime - one.creationTime;
}

/** How many events are kept at most, whatever `maxEvents` says: a process has less room than a server. */
const MAX_EVENTS = 10_000;

interface KeptEvent {
  readonly recorded: RecordedEvent;
  /** Events come in this order. */
  readonly place: number;
  /** Epoch ms until which a source of delivery `'once'` has it; Infinity = it is handled. */
  takenUntilMs: number;
  deliveries: number;
}

/** The events of sessions in memory. */
class MemoryEvents {
  private readonly kept = new Map<string, KeptEvent>();
  /** Places of the last events that sources of delivery `'broadcast'` have read, by the names of these. */
  private readonly positions = new Map<string, number>();
  private lastPlace = 0;

  record(recorded: RecordedEvent, maxEvents: number): void {
    const place = ++this.lastPlace;
    this.kept.set(recorded.eventId, { recorded, place, takenUntilMs: 0, deliveries: 0 });
    if (this.kept.size <= Math.min(maxEvents, MAX_EVENTS)) return;
    const [oldest = ''] = this.kept.keys();
    this.kept.delete(oldest);
  }

  /** Events that nobody else takes for some seconds. */
  take(count: number, seconds: number): KeptEvent[] {
    const nowMs = Date.now();
    const free = [...this.kept.values()].filter(({ takenUntilMs }) => takenUntilMs <= nowMs);
    const taken = free.slice(0, count);
    for (const event of taken) {
      event.takenUntilMs = nowMs + seconds * 1000;
      event.deliveries += 1;
    }
    return taken;
  }

  /** Nobody takes the event any more. @param deletes - false: others still read it */
  finish(eventId: string, deletes: boolean): void {
    const event = this.kept.get(eventId);
    if (event) event.takenUntilMs = Infinity;
    if (deletes) this.kept.delete(eventId);
  }

  /** From now on `name` reads what comes, unless it goes on where it was. */
  begin(name: string, isResumed: boolean): void {
    if (!isResumed || !this.positions.has(name)) this.positions.set(name, this.lastPlace);
  }

  /** The next events that `name` has not read. */
  next(name: string, count: number): KeptEvent[] {
    const position = this.positions.get(name) ?? 0;
    const unread = [...this.kept.values()].filter(({ place }) => place > position);
    const events = unread.slice(0, count);
    this.positions.set(name, events.at(-1)?.place ?? position);
    return events;
  }
}

/** What reads the events of sessions in memory. */
interface MemoryEventSourceInput extends PollingEventSourceInput, EventReaders {
  readonly events: MemoryEvents;
}

/** Each event is handled once. */
export class MemoryOnceEventSource extends OncePollingEventSource {
  constructor(private readonly input: MemoryEventSourceInput) {
    super(input);
  }

  protected override read(count: number): Promise<TakenEvent[]> {
    const taken = this.input.events.take(count, this.takeOverSeconds);
    return Promise.resolve(
      taken.map(({ recorded, deliveries }) => ({
        event: toSessionEvent(recorded, this.input),
        deliveries,
      })),
    );
  }

  protected override finish(eventId: string): Promise<void> {
    const { deletesHandled = true, events } = this.input;
    events.finish(eventId, deletesHandled);
    return Promise.resolve();
  }
}

/** Each source handles each event. */
export class MemoryBroadcastEventSource extends PollingEventSource<PolledEvent> {
  constructor(private readonly input: MemoryEventSourceInput) {
    super(input);
  }

  override start(): Promise<void> {
    const { events, isResumed = true, replicaName } = this.input;
    events.begin(replicaName, isResumed);
    return super.start();
  }

  protected override read(count: number): Promise<PolledEvent[]> {
    const { events, replicaName } = this.input;
    const unread = events.next(replicaName, count);
    return Promise.resolve(
      unread.map(({ recorded }) => ({ event: toSessionEvent(recorded, this.input) })),
    );
  }

  protected override handle(polled: PolledEvent): Promise<void> {
    return this.deliverInLane(polled);
  }
}
