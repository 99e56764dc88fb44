import { describe } from '@jest/globals';
import { describeExpiry } from './contract/expiry.contract.js';
import { describePendingChanges } from './contract/pending-changes.contract.js';
import { describeSaveModes } from './contract/save-modes.contract.js';
import { describeSpringCases } from './contract/spring-cases.contract.js';
import { describeUpdates } from './contract/updates.contract.js';
import { describeValues } from './contract/values.contract.js';
import { type SessionRepositoryFactory } from './contract/repository-under-test.js';

/** What every session repository does; `factory` makes one on an empty or shared store of its kind. */
export function describeSessionRepository(name: string, factory: SessionRepositoryFactory): void {
  describe(name, () => {
    describeSpringCases(factory);
    describeExpiry(factory);
    describePendingChanges(factory);
    describeUpdates(factory);
    describeSaveModes(factory);
    describeValues(factory);
  });
}
