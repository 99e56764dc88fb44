import { withDeadline } from './deadline.js';
import { type RawReply, type ScriptReply, TOO_LATE } from './script-reply.js';
import { ServerClock } from './server-clock.js';

/** Our clock, the server's and timers count whole milliseconds: together they can be wrong by this much. */
const CLOCK_GRAIN_MS = 3;

/** Sends scripts that can change nothing any more once their caller has given up. */
export class WriteDeadline {
  private readonly serverClock = new ServerClock();

  constructor(private readonly timeoutMs: number) {}

  /**
   * Tells the script when its caller gives up. Sends it once more if only the server's clock was not known.
   *
   * @throws SessionStoreError
   */
  inTime(action: string, send: (latestMs: number) => Promise<RawReply>): Promise<ScriptReply> {
    const giveUpMs = Date.now() + this.timeoutMs;
    return withDeadline(action, this.timeoutMs, this.attempt(send, giveUpMs));
  }

  private async attempt(
    send: (latestMs: number) => Promise<RawReply>,
    giveUpMs: number,
    isLast = false,
  ): Promise<ScriptReply> {
    const sentMs = Date.now();
    const [first, second, ...rest] = await send(
      this.serverClock.toServerMs(giveUpMs - CLOCK_GRAIN_MS),
    );
    const [outcome, serverMs, receivedMs] = [Number(first), Number(second), Date.now()];
    this.serverClock.adjust({ serverMs, sentMs, receivedMs });
    const isInVain = outcome === TOO_LATE && !isLast && receivedMs < giveUpMs;
    return isInVain ? this.attempt(send, giveUpMs, true) : [outcome, serverMs, ...rest];
  }
}
