/** A clock that stands still until it is told to go on. It starts at the real time. */
export class TestClock {
  /** Epoch ms. */
  nowMs = Date.now();

  /** For the option `clock`. */
  readonly now = (): number => this.nowMs;

  advanceSeconds(seconds: number): void {
    this.nowMs += seconds * 1000;
  }
}
