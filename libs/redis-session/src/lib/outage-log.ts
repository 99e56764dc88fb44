import { SessionStoreError } from '../session/session.errors.js';
import { type SessionLogger } from './logger.js';

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
    const operations = new Set([operation]);
    this.underWay.set(name, { firstMs: lastMs, lastMs, operations, count: 1 });
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
