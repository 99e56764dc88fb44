/**
 * Knows how far the clock of the Redis server is from ours, so that a write can carry the latest moment at which it may
 * take place: one that lay in a buffer while its caller gave up changes nothing later.
 */
export class ServerClock {
  private offsetMs = 0;

  /** @returns epoch ms on the server's clock, `ms` from now */
  inMs(ms: number): number {
    return Math.round(Date.now() + this.offsetMs + ms);
  }

  /** @param serverNowMs - what the server's clock showed just now, epoch ms */
  adjust(serverNowMs: number): void {
    this.offsetMs = serverNowMs - Date.now();
  }
}
