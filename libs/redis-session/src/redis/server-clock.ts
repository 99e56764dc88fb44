/** One answer of the server: what its clock showed, and our time before and after. All epoch ms. */
export interface ClockReading {
  readonly serverMs: number;
  readonly sentMs: number;
  readonly receivedMs: number;
}

/**
 * Knows how far the clock of the Redis server is from ours, so that a write can carry the latest moment at which it may
 * take place: one that lay in a buffer while its caller gave up changes nothing later.
 *
 * Each answer tells how far ahead the server is at least. The greatest of these is kept: it is never too great, and the
 * quicker the quickest answer was, the closer it is.
 */
export class ServerClock {
  private offsetMs: number | undefined;

  /** @returns `localMs` on the server's clock, or somewhat earlier; both epoch ms */
  toServerMs(localMs: number): number {
    return Math.floor(localMs + (this.offsetMs ?? 0));
  }

  /** The server's clock was read between sending and receiving. */
  adjust({ serverMs, sentMs, receivedMs }: ClockReading): void {
    const atLeast = serverMs - receivedMs;
    const atMost = serverMs - sentMs;
    const known = this.offsetMs ?? atLeast;
    this.offsetMs = known > atMost ? atLeast : Math.max(known, atLeast);
  }
}
