import { type MapSession } from '../../session/map-session.js';

/** The sessions that a request has invalidated: each is deleted once, however many wait for it. */
export class EndedSessions {
  private readonly pending: MapSession[] = [];
  private deleting: Promise<void> | undefined;

  /** @param deleteSession - deletes it from the store; when it fails the session stays pending */
  constructor(private readonly deleteSession: (session: MapSession) => Promise<void>) {}

  /** Whether some are not deleted yet. */
  get isPending(): boolean {
    return this.pending.length > 0;
  }

  add(session: MapSession): Promise<void> {
    this.pending.push(session);
    return this.deleteAll();
  }

  /** Resolves when all are deleted. @throws what `deleteSession` throws */
  deleteAll(): Promise<void> {
    this.deleting ??= this.deleteInTurn().finally(() => {
      this.deleting = undefined;
    });
    return this.deleting;
  }

  private async deleteInTurn(): Promise<void> {
    for (let ended = this.pending[0]; ended; ended = this.pending[0]) {
      await this.deleteSession(ended);
      this.pending.shift();
    }
  }
}
