import { type StoredSession } from './session-change.js';
import { describeSessionRepository } from '../testing/contract/session-repository.contract.js';
import { MapSessionRepository } from './map-session-repository.js';

/** Two repositories of one test are two replicas. */
const sessions = new Map<string, StoredSession>();

describeSessionRepository(
  'MapSessionRepository',
  (options) => new MapSessionRepository(options, sessions),
);
