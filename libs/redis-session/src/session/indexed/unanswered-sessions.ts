import { laneOf } from '../../lib/lanes.js';
import { MAX_WORKS, tryLater } from '../../lib/background-loop.js';
import { type MapSession } from '../map-session.js';
import { SessionStoreError } from '../session.errors.js';

interface UnansweredSessionsInput {
  /** Ms after which a save that has failed can no longer take place. */
  readonly commandTimeoutMs: number;
  readonly end: (id: string) => Promise<void>;
  /** Whether the store is closed. */
  readonly isOver: () => boolean;
}

/**
 * Ends sessions that may be stored although their save has failed, and whose id no client was told: nobody can use or end
 * them, and they would take the place of another login of their user.
 */
export class UnansweredSessions {
  private count = 0;

  constructor(private readonly input: UnansweredSessionsInput) {}

  /** Settles as `save` of `session` does. */
  async watch<T>(session: MapSession, save: () => Promise<T>): Promise<T> {
    const { id } = session;
    const isKnown = isStoredAs(session, id);
    try {
      return await save();
    } catch (error) {
      // Also when the server has refused: the client may have sent it before, and the reply was lost.
      if (!isKnown && error instanceof SessionStoreError) this.endLater(session, id);
      throw error;
    }
  }

  /** In the lane of the session: the application may save it once more, and answer with its id. */
  private endLater(session: MapSession, id: string): void {
    const { commandTimeoutMs, end, isOver } = this.input;
    const endUnlessSaved = () =>
      laneOf(session).run(async () => {
        if (!isStoredAs(session, id)) await end(id);
      });
    const times = { delayMs: commandTimeoutMs, isOver, pauseMs: commandTimeoutMs };
    if (this.count >= MAX_WORKS) return;
    this.count++;
    void tryLater(endUnlessSaved, times).then(() => this.count--);
  }
}

function isStoredAs(session: MapSession, id: string): boolean {
  return session.isStored && session.storedId === id;
}
