import { SAVED_REQUESTS_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { type MapSession } from '../../session/map-session.js';
import { type VisitorTimeouts } from './request-setup.js';

/** What the commit of one request has to do first, beside saving the session. */
export class BeforeCommitActions {
  /** Whether they run just now. */
  isRunning = false;
  private readonly actions: (() => void | Promise<void>)[] = [];

  get isPending(): boolean {
    return this.actions.length > 0;
  }

  add(action: () => void | Promise<void>): void {
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
    return (this.deleting ??= this.deleteInTurn().finally(() => (this.deleting = undefined)));
  }

  private async deleteInTurn(): Promise<void> {
    for (let ended = this.pending[0]; ended; ended = this.pending[0]) {
      await this.deleteSession(ended);
      this.pending.shift();
    }
  }
}

/**
 * Anybody can have a page saved that needs a login. The session that is made for it ends early, so that visitors who never
 * log in do not fill the store. It lives as long as others once it holds anything else.
 */
export class EarlyEnd {
  private constructor(private readonly timeouts: VisitorTimeouts) {}

  /** @param session - that ends as early as one for saved requests. @returns undefined when it holds anything else */
  static of(session: MapSession, timeouts: VisitorTimeouts): EarlyEnd | undefined {
    return holdsOnlySavedRequests(session) ? new EarlyEnd(timeouts) : undefined;
  }

  /** Has `session` end early if it is new. @returns undefined when it holds anything, or would not live longer anyway */
  static begin(session: MapSession, timeouts: VisitorTimeouts | undefined): EarlyEnd | undefined {
    if (!timeouts || !session.isNew || session.attributeNames.length > 0) return undefined;
    if (timeouts.savedRequestSeconds >= session.maxInactiveIntervalSeconds) return undefined;
    session.maxInactiveIntervalSeconds = timeouts.savedRequestSeconds;
    return new EarlyEnd(timeouts);
  }

  /** To be called before each save of `session`. What somebody else has set as its idle time stays. */
  review(session: MapSession): void {
    const { maxInactiveIntervalSeconds, savedRequestSeconds } = this.timeouts;
    if (session.maxInactiveIntervalSeconds !== savedRequestSeconds) return;
    if (!holdsOnlySavedRequests(session))
      session.maxInactiveIntervalSeconds = maxInactiveIntervalSeconds;
  }
}

function holdsOnlySavedRequests({ attributeNames }: MapSession): boolean {
  return attributeNames.length === 1 && attributeNames[0] === SAVED_REQUESTS_ATTRIBUTE;
}
