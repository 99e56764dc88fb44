import { withDeadline } from '../lib/deadline.js';
import { MapSession, type SessionContext } from './map-session.js';
import { type SaveOutcome, type SessionChange, type StoredSession } from './session-change.js';
import { type SessionCodec } from './codec.js';
import { type SessionRepositoryOptions } from './repository-options.js';
import { generateChangedSessionId } from './session-id.js';
import { type FindSessionOptions, type SessionRepository } from './session-repository.js';
import {
  SessionCorruptError,
  SessionEncodingError,
  SessionInvalidatedError,
} from './session.errors.js';

/** A repository as requests need it. */
export interface SessionKeeper extends SessionRepository<MapSession> {
  /** Deletes `session` after the saves that are under way. */
  invalidate(session: MapSession): Promise<void>;

  /** The session of a request at `accessTimeMs` (epoch) if it is at hand, so that nothing has to be awaited. */
  findKept?(id: string, accessTimeMs: number): MapSession | undefined;
}

/** {@link SessionRepositoryOptions}, and the deadline of a store without its own. */
export interface StoredSessionRepositoryOptions extends SessionRepositoryOptions {
  readonly deadlineMs?: number;
}

/** The part of a repository that does not depend on where sessions are kept: three operations are left to the store. */
export abstract class StoredSessionRepository implements SessionKeeper {
  private readonly context: SessionContext;

  /** @param options - with `deadlineMs`, operations that take longer fail; a repository with its own deadlines has none */
  constructor(protected readonly options: StoredSessionRepositoryOptions) {
    const { flushMode, saveMode, sessionIdGenerator } = options;
    this.context = {
      codec: this.tolerantCodec(options),
      flushMode,
      saveMode,
      generateChangedId: (id) => generateChangedSessionId(id, sessionIdGenerator),
    };
  }

  /** Reads a session that has not expired, and records the access. */
  protected abstract load(id: string, accessTimeMs?: number): Promise<StoredSession | undefined>;
  /** Writes all of `change`, which is what has changed in `session`, or nothing. */
  protected abstract write(change: SessionChange, session: MapSession): Promise<SaveOutcome>;
  /** Does nothing when there is none. */
  protected abstract delete(id: string): Promise<void>;

  createSession(): MapSession {
    const now = this.options.clock();
    return this.toSession(this.options.sessionIdGenerator(), true, {
      creationTime: now,
      lastAccessedTime: now,
      maxInactiveInterval: this.options.maxInactiveIntervalSeconds,
      attributes: new Map(),
    });
  }

  async findById(id: string, options: FindSessionOptions = {}): Promise<MapSession | undefined> {
    try {
      const stored = await this.within('read the session', this.load(id, options.accessTimeMs));
      return stored && this.toSession(id, false, stored);
    } catch (error) {
      if (!(error instanceof SessionCorruptError) || this.options.onCorrupt === 'error')
        throw error;
      this.options.logger.warn(error.message);
      return undefined;
    }
  }

  async save(session: MapSession): Promise<void> {
    await session.exclusively(() => this.writeChanges(session));
  }

  async invalidate(session: MapSession): Promise<void> {
    await session.exclusively(async (storedId) => {
      if (!session.isNew) await this.within('delete the session', this.delete(storedId));
    });
  }

  async deleteById(id: string): Promise<void> {
    await this.within('delete the session', this.delete(id));
  }

  private async writeChanges(session: MapSession): Promise<void> {
    for (;;) {
      const change = session.isInvalidated ? undefined : session.pendingChange();
      if (!change) return;
      const outcome = await this.within('save the session', this.write(change, session));
      if (outcome.kind === 'saved') {
        session.markSaved(change);
        return;
      }
      if (outcome.kind === 'missing') throw SessionInvalidatedError.create('save the session');
      session.rebase(change, outcome.current);
    }
  }

  private within<T>(action: string, operation: Promise<T>): Promise<T> {
    const { deadlineMs } = this.options;
    return deadlineMs === undefined ? operation : withDeadline(action, deadlineMs, operation);
  }

  /** Makes the session that is handed out for `stored`. */
  protected toSession(id: string, isNew: boolean, stored: StoredSession): MapSession {
    return new MapSession({ context: this.context, owner: this, id, stored, isNew });
  }

  /**
   * The codec without the messages of its own errors, which may quote a value. With `onCorrupt: 'new-session'`, an
   * attribute that cannot be decoded is absent.
   */
  private tolerantCodec({ codec, onCorrupt, logger }: SessionRepositoryOptions): SessionCodec {
    const encode = (value: unknown, name: string) => {
      try {
        return codec.encode(value, name);
      } catch (error) {
        if (error instanceof SessionEncodingError) throw error;
        throw SessionEncodingError.create(name, 'is refused by its codec');
      }
    };
    const decode = (text: string, name: string) => {
      try {
        return codec.decode(text, name);
      } catch {
        const message = `Cannot decode the session attribute "${name}": its stored value is not of this codec. Remove it, or configure the codec that wrote it.`;
        if (onCorrupt === 'error') throw new SessionCorruptError(message);
        logger.warn(message);
        return undefined;
      }
    };
    return { encode, decode };
  }
}
