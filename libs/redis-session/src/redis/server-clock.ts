/** One answer of the server: what its clock showed, and our time before and after. All epoch ms. */
export interface ClockReading {
  readonly serverMs: number;
  readonly sentMs: number;
  readonly receivedMs: number;
}

/**
 * Knows how far the clock of the Redis server is from ours, so that a write can carry the latest moment at which it may
 * take place: one that lay in a buffer while its caller gave up changes nothing later.
 */
export class ServerClock {
  private offsetMs = 0;

  /** @returns `localMs` on the server's clock; both epoch ms */
  toServerMs(localMs: number): number {
    return Math.round(localMs + this.offsetMs);
  }

  /** The server's clock was read between sending and receiving: keeps the offset if that allows it, else moves it there. */
  adjust({ serverMs, sentMs, receivedMs }: ClockReading): void {
    const atLeast = serverMs - receivedMs;
    const atMost = serverMs - sentMs;
    this.offsetMs = Math.min(Math.max(this.offsetMs, atLeast), atMost);
  }
}
