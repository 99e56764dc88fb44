import { STABLE_PREFIX_LENGTH } from '../session/session-id-generator.js';

/** Does work for many sessions at the same time, and that of one session in order, one after the other. */
export class SessionLanes {
  private readonly last = new Map<string, Promise<void>>();
  private readonly waiting: (() => void)[] = [];
  private free: number;

  /** @param maxAtOnce - how much is under way at most */
  constructor(maxAtOnce: number) {
    this.free = maxAtOnce;
  }

  /**
   * Resolves when `work` is done, which must not reject.
   *
   * @param sessionId - its beginning, which stays when the id changes, names the session
   */
  async add(sessionId: string, work: () => Promise<void>): Promise<void> {
    const lane = sessionId.slice(0, STABLE_PREFIX_LENGTH);
    const done = this.after(this.last.get(lane), work);
    this.last.set(lane, done);
    await done;
    if (this.last.get(lane) === done) this.last.delete(lane);
  }

  private async after(earlier: Promise<void> | undefined, work: () => Promise<void>) {
    await earlier;
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    await work();
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}
