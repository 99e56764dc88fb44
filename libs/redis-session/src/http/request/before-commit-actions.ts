/** Something to do before the response leaves, beside saving the session. */
export type BeforeCommit = () => void | Promise<void>;

/** What the commit of one request has to do first. */
export class BeforeCommitActions {
  /** Whether they run just now. */
  isRunning = false;
  private readonly actions: BeforeCommit[] = [];

  get isPending(): boolean {
    return this.actions.length > 0;
  }

  add(action: BeforeCommit): void {
    this.actions.push(action);
  }

  /** Runs them in turn, each once. @throws what one of them throws; those after it are dropped */
  async runAll(): Promise<void> {
    this.isRunning = true;
    try {
      for (const action of this.actions.splice(0)) await action();
    } finally {
      this.isRunning = false;
    }
  }
}
