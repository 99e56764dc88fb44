import { describe } from './test-functions.js';
import { describeEvents } from './events.contract.js';
import { describeFinding } from './finding.contract.js';
import { type IndexedRepositoryFactory } from './indexed-repository-under-test.js';
import { describeMaximumSessions } from './maximum-sessions.contract.js';

/**
 * What every session repository does that finds sessions by their user, limits them and tells their events.
 *
 * @param factory - makes replicas that share one store; other users' sessions may be in it
 */
export function describeIndexedSessionRepository(
  name: string,
  factory: IndexedRepositoryFactory,
): void {
  describe(name, () => {
    describeFinding(factory);
    describeMaximumSessions(factory);
    describeEvents(factory);
  });
}
