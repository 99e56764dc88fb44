/** Lets actions of the same key run one after the other, in the order in which they came. */
export class Turns {
  private readonly last = new Map<string, Promise<void>>();

  /** Runs `action` once those before it have ended, however they have. */
  async take(key: string, action: () => Promise<void>): Promise<void> {
    const turn = (this.last.get(key) ?? Promise.resolve()).then(action);
    const ended = turn.catch(() => undefined);
    this.last.set(key, ended);
    try {
      await turn;
    } finally {
      if (this.last.get(key) === ended) this.last.delete(key);
    }
  }
}
