/** Runs actions of the same key one after the other, and those of different keys side by side. */
export class Lanes {
  private readonly lastOf = new Map<unknown, Promise<unknown>>();

  /** Runs `action` after those that were given before under `key`, however they ended. */
  async run<T>(key: unknown, action: () => Promise<T>): Promise<T> {
    const before = this.lastOf.get(key) ?? Promise.resolve();
    const result = before.then(action);
    const end = result.then(ignore, ignore);
    this.lastOf.set(key, end);
    try {
      return await result;
    } finally {
      if (this.lastOf.get(key) === end) this.lastOf.delete(key);
    }
  }
}

function ignore(): void {
  // Whoever gave the action hears of its error.
}
