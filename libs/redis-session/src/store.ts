// For authors of a store
export {
  type SessionIndexOptions,
  type SessionSharing,
  type SessionStore,
  type SessionStoreOptions,
} from './session/session-store.js';
export {
  StoredSessionRepository,
  type StoredSessionRepositoryOptions,
} from './session/stored-session-repository.js';
export {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from './session/session-change.js';
export {
  applyChange,
  type AppliedChange,
  hasEnded,
  recordAccess,
  sessionFromText,
  sessionToText,
  MapSessionRepository,
} from './session/map-session-repository.js';
export { type IndexedSessionRepository, type SessionPage } from './session/session-repository.js';
export {
  type SessionEventRecorder,
  type SessionEventSource,
  type SessionEventSubscription,
} from './session/session-event.js';
export { type SessionCodec } from './session/attributes/codec.js';
export { FlushMode, SaveMode } from './session/repository-options.js';
export { type SessionFeature } from './nest/options/redis-session.options.js';

// The repositories of the library, for programs without Nest
export { RedisIndexedSessionRepository } from './redis/indexed/redis-indexed-session-repository.js';
export { RedisSessionRepository } from './redis/sessions/redis-session-repository.js';
