import { type PendingAttributeChange } from './attributes/attributes.js';
import { type SessionCodec } from './attributes/codec.js';
import { type FlushMode, type SaveMode } from './modes.js';
import { type SessionChange } from './session-change.js';

/** Who saves and deletes a session: its repository, or the request that it belongs to. */
export interface SessionOwner<S> {
  save(session: S): Promise<void>;
  invalidate(session: S): Promise<void>;
  /**
   * Called before the id changes, and before a new session gets its first attribute.
   *
   * @param action - what is about to be done, such as `create a session`
   * @throws SessionResponseCommittedError when the client could no longer be told the id
   */
  refuseIfAnnounced?(action: string): void;
}

/** What a session needs to know of its repository. */
export interface SessionContext {
  readonly codec: SessionCodec;
  readonly flushMode: FlushMode;
  readonly saveMode: SaveMode;
  readonly generateChangedId: (previousId: string) => string;
}

/** A save in progress: what is written, and what to tell the session when it is. */
export interface PendingSessionChange extends SessionChange {
  readonly attributes: ReadonlyMap<string, PendingAttributeChange>;
}
