import { type SessionChange } from '../../session/session-change.js';

/** Finds out that sessions have ended, and ends them. Counterpart of `RedisSessionExpirationStore` of Spring Session. */
export interface ExpirationStore {
  /** The access to the session has been recorded. */
  afterAccess(sessionId: string): Promise<void>;
  /** `change` is stored. */
  afterSave(change: SessionChange): Promise<void>;
  /** The session has been deleted; `fields` of its hash that are no attributes, names and values in turn. */
  afterDelete(sessionId: string, fields: readonly string[]): Promise<void>;
  /** Begins to look for sessions that have ended. */
  start(): Promise<void>;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}
