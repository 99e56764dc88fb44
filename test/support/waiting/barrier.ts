/** Holds back handlers until the test lets them go on. */
export class Barrier {
  private arrived = 0;
  private isOpen = false;
  private waiting: (() => void)[] = [];
  private watchers: (() => void)[] = [];

  /** For handlers: resolves when the test opens the barrier. */
  async pass(): Promise<void> {
    this.arrived += 1;
    for (const notify of this.watchers.splice(0)) notify();
    if (this.isOpen) return;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** For tests: resolves when `count` handlers wait. */
  async reachedBy(count: number): Promise<void> {
    while (this.arrived < count) {
      await new Promise<void>((resolve) => this.watchers.push(resolve));
    }
  }

  /** Lets all go on, also those that come later. */
  open(): void {
    this.isOpen = true;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
