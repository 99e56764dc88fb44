import { type SaveOutcome, type SessionChange, type StoredSession } from './session-change.js';
import { DEFAULT_REPOSITORY_OPTIONS, type SessionRepositoryOptions } from './repository-options.js';
import { StoredSessionRepository } from './stored-session-repository.js';
import { applyChange, hasEnded, recordAccess } from './whole-sessions.js';

/**
 * Keeps sessions in the memory of this process: for development and tests. They are lost when it ends, and other
 * replicas do not see them. Expired ones are dropped when they are looked up.
 *
 * Same behaviour as the Redis repository otherwise. Mirrors `MapSessionRepository` of Spring Session.
 */
export class MapSessionRepository extends StoredSessionRepository {
  private readonly sessions = new Map<string, StoredSession>();

  constructor(options: Partial<SessionRepositoryOptions> = {}) {
    super({ ...DEFAULT_REPOSITORY_OPTIONS, ...options });
  }

  protected override load(id: string, accessTimeMs?: number): Promise<StoredSession | undefined> {
    const stored = this.findLive(id);
    if (!stored) return Promise.resolve(undefined);
    const touched = recordAccess(stored, accessTimeMs, this.options);
    this.sessions.set(id, touched);
    return Promise.resolve(touched);
  }

  protected override write(change: SessionChange): Promise<SaveOutcome> {
    const { outcome, session } = applyChange(this.findLive(change.storedId), change);
    if (session) {
      this.sessions.delete(change.storedId);
      this.sessions.set(change.id, session);
    }
    return Promise.resolve(outcome);
  }

  protected override delete(id: string): Promise<void> {
    this.sessions.delete(id);
    return Promise.resolve();
  }

  private findLive(id: string): StoredSession | undefined {
    const stored = this.sessions.get(id);
    if (!stored || !hasEnded(stored, this.options)) return stored;
    this.sessions.delete(id);
    return undefined;
  }
}
