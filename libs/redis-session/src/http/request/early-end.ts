import { SAVED_REQUESTS_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { type MapSession } from '../../session/map-session.js';
import { type VisitorTimeouts } from './session-request-context.js';

/**
 * Anybody can have a page saved that needs a login. The session that is made for it ends early, so that visitors who never
 * log in do not fill the store. It lives as long as others once it holds anything else.
 */
export class EarlyEnd {
  private constructor(private readonly timeouts: VisitorTimeouts) {}

  /** @returns undefined when `session` was not made for saved requests, or would not live longer anyway */
  static of(session: MapSession, timeouts: VisitorTimeouts | undefined): EarlyEnd | undefined {
    if (session.maxInactiveIntervalSeconds !== timeouts?.savedRequestSeconds) return undefined;
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
