// An application whose sessions are in memory
export {
  RedisSessionTestingModule,
  type RedisSessionTestingOptions,
  TestClock,
  type OverridableModule,
  withMemorySessions,
} from './redis-session-testing.module.js';

// Clients of it
export { type CookieAgent, loginAs, sessionOf, type TestResponse } from './test-sessions.js';

// For authors of session repositories
export { describeIndexedSessionRepository } from './contract/indexed-session-repository.contract.js';
export {
  type IndexedFactoryOptions,
  type IndexedRepositoryFactory,
  type IndexedStoredRepository,
} from './contract/indexed-repository-under-test.js';
export { describeSessionRepository } from './contract/session-repository.contract.js';
export { type SessionRepositoryFactory } from './contract/repository-under-test.js';
export { describeSessionStore } from './contract/session-store.contract.js';
