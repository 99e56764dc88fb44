import { type SessionLogger } from '../session/session-logger.js';
import { type StoredSessionRepository } from '../session/stored-session-repository.js';
import { type SessionIdResolver } from './session-id-resolver.js';

/** What happens to a request whose session cannot be read: it fails with 503, or goes on as an anonymous one. */
export type StoreUnavailablePolicy = 'error' | 'anonymous';

/** What all requests share. */
export interface SessionRequestContext {
  readonly clock: () => number;
  readonly logger: SessionLogger;
  readonly onStoreUnavailable: StoreUnavailablePolicy;
  readonly repository: StoredSessionRepository;
  readonly sessionIdPattern: RegExp;
  readonly sessionIdResolver: SessionIdResolver;
}
