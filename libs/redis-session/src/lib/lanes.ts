/** Runs actions of the same key one after the other, and those of different keys side by side. */
export class Lanes {
  private readonly lastOf = new Map<unknown, Promise<unknown>>();

  /** Runs `action` after those that were given before under `key`, however they ended; at once when there are none. */
  run<T>(key: unknown, action: () => Promise<T>): Promise<T> {
    const result = this.lastOf.get(key)?.then(action) ?? action();
    const leave = () => {
      if (this.lastOf.get(key) === end) this.lastOf.delete(key);
    };
    const end = result.then(leave, leave);
    this.lastOf.set(key, end);
    return result;
  }
}
