import { type SessionEvent, type SessionEventHandler } from './session-event.js';
import { STABLE_PREFIX_LENGTH } from './session-id.js';

/** Much longer than a handler should take. */
const HANDLER_TIMEOUT_MS = 60_000;

/** What handles events. */
export interface EventHandling {
  readonly handler: SessionEventHandler;
  /** Ms after which a handler that has not finished counts as failed. @defaultValue a minute */
  readonly handlerTimeoutMs?: number;
}

/**
 * Has the handler handle `event`, and waits for it only so long: a handler that hangs does not hold up other events.
 *
 * @returns why it has failed, for the log, or undefined; never what is in an error's message
 */
export async function handleEvent(
  event: SessionEvent,
  { handler, handlerTimeoutMs = HANDLER_TIMEOUT_MS }: EventHandling,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not done within ${handlerTimeoutMs} ms`), handlerTimeoutMs);
  });
  try {
    return await Promise.race([tooLate, Promise.resolve(handler(event)).then(() => undefined)]);
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown reason';
  } finally {
    clearTimeout(timer);
  }
}

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
