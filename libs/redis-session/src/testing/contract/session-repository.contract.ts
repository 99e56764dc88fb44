import { describe } from './test-functions.js';
import { describeExpiry } from './expiry.contract.js';
import { describePendingChanges } from './pending-changes.contract.js';
import { describeRaces } from './races.contract.js';
import { describeSaveModes } from './save-modes.contract.js';
import { describeSpringCases } from './spring-cases.contract.js';
import { describeUpdates } from './updates.contract.js';
import { describeValues } from './values.contract.js';
import { type SessionRepositoryFactory } from './repository-under-test.js';

/** What every session repository does; `factory` makes one on an empty or shared store of its kind. */
export function describeSessionRepository(name: string, factory: SessionRepositoryFactory): void {
  describe(name, () => {
    describeSpringCases(factory);
    describeExpiry(factory);
    describePendingChanges(factory);
    describeUpdates(factory);
    describeRaces(factory);
    describeSaveModes(factory);
    describeValues(factory);
  });
}
