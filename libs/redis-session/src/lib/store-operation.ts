import { RedisSessionError, SessionStoreError } from '../session/session.errors.js';
import { plainText, type SessionLogger } from './logger.js';

/** No answer came in time: those that wait behind such a command would wait for as long. */
export class NoAnswerError extends Error {}

/** Whether `error` is that of a command whose deadline is over. */
export function isUnanswered(error: unknown): error is SessionStoreError {
  return error instanceof SessionStoreError && error.cause instanceof NoAnswerError;
}

/**
 * Settles as `command` does, or fails `timeoutMs` from now: whatever the client's own queues and retries do, nobody
 * waits longer. Time in which this process was too busy to read an answer does not count.
 *
 * @param action - for the error, such as `load the session`
 * @throws SessionStoreError
 */
export function withDeadline<T>(
  action: string,
  timeoutMs: number,
  command: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const dueMs = performance.now() + timeoutMs;
    const giveUp = () => {
      reject(
        SessionStoreError.create(action, new NoAnswerError(`no answer within ${timeoutMs} ms`)),
      );
    };
    let timer = setTimeout(() => {
      timer = setTimeout(giveUp, Math.min(performance.now() - dueMs, timeoutMs));
    }, timeoutMs);
    command.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(toStoreError(action, error));
      },
    );
  });
}

interface StopOptions {
  readonly commandTimeoutMs: number;
  readonly logger: SessionLogger;
}

/**
 * Stops a part of the application. The shutdown goes on whatever the part does: a failure is logged. The part may have
 * deadlines of its own, which come first.
 *
 * @param action - for the log: completes "Cannot …"
 */
export async function stopInTime(
  action: string,
  part: { stop?(): Promise<void> },
  { commandTimeoutMs, logger }: StopOptions,
): Promise<void> {
  const stopped = Promise.resolve().then(() => part.stop?.());
  await withDeadline(action, 2 * commandTimeoutMs, stopped).catch((error: unknown) => {
    const reason = reasonOf((error as Error).cause ?? error).replace(/\.$/, '');
    logger.warn(
      `Cannot ${action}: ${reason}. Its connections may stay open until the process ends.`,
    );
  });
}

/** What callers see of an error of the client: that `action` failed, and why. Errors of this library stay as they are. */
export function toStoreError(action: string, error: unknown): RedisSessionError {
  if (error instanceof RedisSessionError) return error;
  const cause = error instanceof NoAnswerError ? error : withoutCommand(error);
  return SessionStoreError.create(action, cause);
}

/**
 * The reason alone. ioredis attaches the command with all its arguments to an error, and Redis quotes them in one
 * message ("unknown command"): session ids and attribute values, which a logger would print. A proxy may quote the key
 * of a session, MongoDB the id that exists already, and ioredis shows a whole reply that nobody waits for. It is one line.
 */
export function withoutCommand(error: unknown): Error {
  const { message, code } = Object(error) as { message?: unknown; code?: string };
  const text = typeof message === 'string' ? message : '';
  const quote = /(,? with args beginning with| Last reply|sess(ions)?:|dup key:).*/s;
  return new Error(plainText(text.replace(quote, '')) || code || 'unknown reason');
}

/** Why something has failed, for a line of the log or another message. */
export function reasonOf(error: unknown): string {
  if (error instanceof RedisSessionError) return error.message;
  return withoutCommand(error).message;
}

/** Ms without a failure after which a success means that the failures have ended. */
export const QUIET_MS = 5000;

/** Stores may give reasons of any number; the ones beyond this many are counted together. */
const MAX_KINDS = 20;

const OTHER_KINDS = 'other reasons';

/** What an operation does. A store may take the ones and refuse the others. */
export type StoreOperation = 'delete' | 'find' | 'read' | 'save';

/** Failures of one kind that have not ended. */
interface Outage<O> {
  readonly firstMs: number;
  readonly operations: Set<O>;
  lastMs: number;
  count: number;
}

/** Counts failures by their kind, from the first one until they have ended. */
export class Outages<O> {
  private readonly underWay = new Map<string, Outage<O>>();

  /** @param nowMs - reads a clock in ms that never goes back */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /** Counts a failure of `operation`. @returns whether it is the first one of its kind */
  failed(kind: string, operation: O): boolean {
    const lastMs = this.nowMs();
    const isKnown = this.underWay.has(kind) || this.underWay.size < MAX_KINDS;
    const name = isKnown ? kind : OTHER_KINDS;
    const outage = this.underWay.get(name);
    if (outage) {
      outage.operations.add(operation);
      Object.assign(outage, { lastMs, count: outage.count + 1 });
      return false;
    }
    this.underWay.set(name, {
      firstMs: lastMs,
      lastMs,
      operations: new Set([operation]),
      count: 1,
    });
    return true;
  }

  /**
   * Ends the kinds of failures of `operation`, which has worked, that have not occurred for {@link QUIET_MS}. A full Redis
   * reads, but does not save: other operations tell nothing.
   *
   * @returns a sentence for each kind that has ended
   */
  worked(operation: O): readonly string[] {
    if (this.underWay.size === 0) return [];
    const nowMs = this.nowMs();
    const ended = [...this.underWay].filter(
      ([, { operations, lastMs }]) => operations.has(operation) && nowMs - lastMs >= QUIET_MS,
    );
    return ended.map(([kind, { firstMs, lastMs, count }]) => {
      this.underWay.delete(kind);
      return `Failures within ${((lastMs - firstMs) / 1000).toFixed(1)} s: ${count} (${kind}).`;
    });
  }
}

/**
 * Tells the log when a kind of failure of the store begins, and when it has ended: how long it lasted, and how many
 * operations failed. The requests in between add no line.
 */
export class OutageLog {
  private readonly outages: Outages<StoreOperation>;

  /** @param nowMs - reads a clock in ms that never goes back */
  constructor(
    private readonly logger: SessionLogger,
    nowMs?: () => number,
  ) {
    this.outages = new Outages(nowMs);
  }

  /** Settles as `work` does. Failures other than those of the store do not count. */
  async watch<T>(operation: StoreOperation, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      for (const sentence of this.outages.worked(operation))
        this.logger.warn(`The session store works again. ${sentence}`);
      return result;
    } catch (error) {
      if (error instanceof SessionStoreError) this.failed(operation, error);
      throw error;
    }
  }

  private failed(operation: StoreOperation, error: SessionStoreError): void {
    if (!this.outages.failed(kindOf(error), operation)) return;
    this.logger.warn(
      `${error.message} Requests that need it are answered with 503; one more line follows when this has ended.`,
    );
  }
}

/** The code of Redis, such as `OOM`, or else the reason. */
function kindOf({ cause, message }: SessionStoreError): string {
  const reason = cause instanceof Error ? cause.message : message;
  return /^[A-Z]{3,}\b/.exec(reason)?.[0] ?? reason;
}

/**
 * Makes a function that gathers the items of one turn of the event loop.
 *
 * @param send - called at the end of the turn with all of them, in order
 */
export function gathered<T>(send: (items: readonly T[]) => void): (item: T) => void {
  let waiting: T[] = [];
  const flush = () => {
    const items = waiting;
    waiting = [];
    send(items);
  };
  return (item) => {
    waiting.push(item);
    if (waiting.length === 1) setImmediate(flush);
  };
}
