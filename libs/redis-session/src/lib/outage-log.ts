import { SessionStoreError } from '../session/session.errors.js';
import { type SessionLogger } from './logger.js';

/** Ms without a failure after which a success means that the failures have ended. */
export const QUIET_MS = 5000;

/** Stores may give reasons of any number; the ones beyond this many are counted together. */
const MAX_KINDS = 20;

const OTHER_KINDS = 'other reasons';

/** What an operation does. A store may take the ones and refuse the others. */
export type StoreOperation = 'delete' | 'read' | 'save';

/** Failures of one kind that have not ended. */
interface Outage {
  readonly firstMs: number;
  lastMs: number;
  count: number;
  operation: StoreOperation;
}

/**
 * Tells the log when a kind of failure of the store begins, and when it has ended: how long it lasted, and how many
 * operations failed. The requests in between add no line.
 */
export class OutageLog {
  private readonly outages = new Map<string, Outage>();

  /** @param nowMs - reads a clock in ms that never goes back */
  constructor(
    private readonly logger: SessionLogger,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Settles as `work` does. Failures other than those of the store do not count. */
  async watch<T>(operation: StoreOperation, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      if (this.outages.size > 0) this.worked(operation);
      return result;
    } catch (error) {
      if (error instanceof SessionStoreError) this.failed(operation, error);
      throw error;
    }
  }

  private failed(operation: StoreOperation, error: SessionStoreError): void {
    const lastMs = this.nowMs();
    const kind = kindOf(error);
    const isKnown = this.outages.has(kind) || this.outages.size < MAX_KINDS;
    const name = isKnown ? kind : OTHER_KINDS;
    const outage = this.outages.get(name);
    if (outage) {
      Object.assign(outage, { lastMs, operation, count: outage.count + 1 });
      return;
    }
    this.outages.set(name, { firstMs: lastMs, lastMs, operation, count: 1 });
    this.logger.warn(
      `${error.message} Requests that need it are answered with 503; one more line follows when this has ended.`,
    );
  }

  /** Ends what failed in the same way: a full Redis reads, but does not save. */
  private worked(operation: StoreOperation): void {
    const nowMs = this.nowMs();
    for (const [kind, outage] of this.outages) {
      if (outage.operation !== operation || nowMs - outage.lastMs < QUIET_MS) continue;
      this.outages.delete(kind);
      const seconds = ((outage.lastMs - outage.firstMs) / 1000).toFixed(1);
      this.logger.warn(
        `The session store works again. Failures within ${seconds} s: ${outage.count} (${kind}).`,
      );
    }
  }
}

/** The code of Redis, such as `OOM`, or else the reason. */
function kindOf({ cause, message }: SessionStoreError): string {
  const reason = cause instanceof Error ? cause.message : message;
  return /^[A-Z]{3,}\b/.exec(reason)?.[0] ?? reason;
}
