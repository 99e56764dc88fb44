import { fromMember, type IndexEntry } from './index-entry.js';
import { type SessionIndex } from './session-index.js';

/** What {@link UnusedEntries} works with. */
export interface UnusedEntriesInput {
  /** Ms between two attempts. */
  readonly pauseMs: number;
  readonly index: SessionIndex;
  /** Whether the session of `member` says that it is in this index. */
  readonly isUsed: (entry: IndexEntry, member: string) => Promise<boolean>;
}

/** So often the removal is tried while Redis fails. */
const MAX_ATTEMPTS = 5;

/**
 * Takes entries out of an index whose session was never stored, or is gone: once no save can come any more that is still
 * under way. Best effort: what is left ends with its expiry.
 */
export class UnusedEntries {
  private readonly underWay = new Set<string>();

  constructor(private readonly input: UnusedEntriesInput) {}

  /** @param whenMs - epoch ms from which on no save of the session can come any more */
  removeAt(whenMs: number, entry: IndexEntry, member: string): void {
    if (this.underWay.has(member)) return;
    this.underWay.add(member);
    this.schedule(Math.max(0, whenMs - Date.now()), entry, member);
  }

  private schedule(delayMs: number, entry: IndexEntry, member: string, attempt = 1): void {
    const remove = async () => {
      try {
        await this.remove(entry, member);
        this.underWay.delete(member);
      } catch {
        if (attempt === MAX_ATTEMPTS) this.underWay.delete(member);
        else this.schedule(this.input.pauseMs, entry, member, attempt + 1);
      }
    };
    setTimeout(() => void remove(), delayMs).unref();
  }

  private async remove(entry: IndexEntry, member: string): Promise<void> {
    const { index, isUsed } = this.input;
    if (await isUsed(entry, member)) return;
    const { sessionId, mark } = fromMember(member);
    await index.remove(sessionId, { ...entry, mark });
  }
}
