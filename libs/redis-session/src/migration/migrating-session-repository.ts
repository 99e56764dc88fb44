import { foreignProperty } from '../lib/foreign-property.js';
import { type MapSession } from '../session/map-session.js';
import { SESSION_COOKIE_ATTRIBUTE } from '../session/attributes/attribute-names.js';
import { SESSION_ID_PATTERN } from '../session/session-id.js';
import { type FindSessionOptions } from '../session/session-repository.js';
import {
  SessionCorruptError,
  SessionEncodingError,
  SessionInvalidatedError,
} from '../session/session.errors.js';
import { type SessionKeeper } from '../session/stored-session-repository.js';
import { type BlobLayout, type BlobSessionRepository } from './blob-session-repository.js';
import {
  movedMark,
  movedTo,
  type BlobProblem,
  lifetimeOf,
  parseBlob,
  type SessionBlob,
  openOwnAttributes,
} from './session-blob.js';
import { type SessionBlobCommands } from './session-blob.commands.js';

interface MigratingSessionRepositoryInput {
  readonly commands: SessionBlobCommands;
  /** Where sessions are to be. */
  readonly current: SessionKeeper;
  /** Where they have been. */
  readonly former: BlobSessionRepository;
  readonly layout: BlobLayout;
  /** Seconds; -1 = never. */
  readonly maxInactiveIntervalSeconds: number;
  readonly onCorrupt: 'new-session' | 'error';
  readonly onMoved: () => void;
  readonly onUnmovable: (problem: string) => void;
  /** `'share'` leaves sessions where they are, and makes new ones there; `'move'` moves each when it is first found. */
  readonly phase: 'share' | 'move';
}

/**
 * Finds sessions in the layout of this library and in that of another one.
 *
 * A move takes two steps that work across the slots of a Redis Cluster: a copy is stored under a new id that nobody knows,
 * then the old session is replaced by a mark, provided that it is still what was copied. Before the second step the old
 * session counts, after it the copy; of two moves at the same time one wins, and the other follows its mark.
 */
export class MigratingSessionRepository implements SessionKeeper {
  private readonly shared = foreignProperty<true>('shared session');

  constructor(private readonly input: MigratingSessionRepositoryInput) {}

  createSession(): MapSession {
    const { phase, current, former } = this.input;
    return phase === 'share' ? this.share(former.createSession()) : current.createSession();
  }

  async findById(id: string, options?: FindSessionOptions): Promise<MapSession | undefined> {
    const { current, former, phase } = this.input;
    const found = SESSION_ID_PATTERN.test(id) ? await current.findById(id, options) : undefined;
    if (found) return found;
    if (phase === 'move') return this.move(id, options);
    const shared = await former.findById(id, options);
    if (shared) return this.share(shared);
    const movedId = await this.movedIdOf(id);
    return movedId === undefined ? undefined : current.findById(movedId, options);
  }

  findKept(id: string, accessTimeMs: number): MapSession | undefined {
    return SESSION_ID_PATTERN.test(id)
      ? this.input.current.findKept?.(id, accessTimeMs)
      : undefined;
  }

  async save(session: MapSession): Promise<void> {
    const { current, former } = this.input;
    if (!this.shared.get(session)) return current.save(session);
    const { id } = session;
    try {
      await former.save(session);
    } catch (error) {
      if (!(error instanceof SessionInvalidatedError) || session.hasChangedId) throw error;
      const movedId = await this.movedIdOf(id);
      const moved = movedId === undefined ? undefined : await current.findById(movedId);
      if (!moved) throw error;
      await this.saveToMoved(session, moved);
    }
  }

  async invalidate(session: MapSession): Promise<void> {
    const { current, former } = this.input;
    await (this.shared.get(session) ? former : current).invalidate(session);
  }

  async deleteById(id: string): Promise<void> {
    if (SESSION_ID_PATTERN.test(id)) await this.input.current.deleteById(id);
    await this.input.former.deleteById(id);
  }

  private share(session: MapSession): MapSession {
    this.shared.set(session, true);
    return session;
  }

  private async movedIdOf(id: string): Promise<string | undefined> {
    const text = await this.input.commands.read(this.input.layout.keyPrefix + id);
    return text === undefined ? undefined : movedTo(text);
  }

  /** Another replica, which moves sessions, has moved this one while the request was under way. */
  private async saveToMoved(session: MapSession, moved: MapSession): Promise<void> {
    const change = session.pendingChange();
    if (!change) return;
    for (const [name, { text }] of change.attributes)
      moved.setAttribute(name, text === undefined ? undefined : JSON.parse(text));
    await this.input.current.save(moved);
    session.markSaved(change);
  }

  private async move(id: string, options?: FindSessionOptions): Promise<MapSession | undefined> {
    const { commands, current, layout, onMoved } = this.input;
    const key = layout.keyPrefix + id;
    for (;;) {
      const seen = await commands.read(key);
      if (seen === undefined) return undefined;
      const movedId = movedTo(seen);
      if (movedId !== undefined) return current.findById(movedId, options);
      const copy = await this.copyOf(seen, id);
      if (!copy) return undefined;
      if (await commands.replace(key, { seen, text: movedMark(copy.id) })) {
        onMoved();
        return copy;
      }
      await current.deleteById(copy.id);
    }
  }

  /** @returns a stored session, undefined when `text` cannot be one. @throws SessionCorruptError if that is an error */
  private async copyOf(text: string, id: string): Promise<MapSession | undefined> {
    const { current } = this.input;
    const blob = parseBlob(text);
    if (typeof blob === 'string') {
      this.report(blob);
      return undefined;
    }
    const copy = current.createSession();
    this.fill(copy, openOwnAttributes(blob, id, this.input.layout.secrets));
    try {
      await current.save(copy);
      return copy;
    } catch (error) {
      if (!(error instanceof SessionEncodingError)) throw error;
      this.report('refused by the codec');
      return undefined;
    }
  }

  /** A session keeps its own lifetime; others get that of the module. */
  private fill(copy: MapSession, blob: SessionBlob): void {
    const { layout, maxInactiveIntervalSeconds } = this.input;
    const seconds = lifetimeOf(blob, layout);
    const isOwn = seconds !== layout.cookieMaxAgeSeconds;
    for (const [name, value] of blob.attributes) copy.setAttribute(name, value);
    if (isOwn) copy.setAttribute(SESSION_COOKIE_ATTRIBUTE, { maxAgeSeconds: seconds });
    copy.maxInactiveIntervalSeconds =
      isOwn && seconds !== null ? Math.max(1, seconds) : maxInactiveIntervalSeconds;
  }

  /** @throws SessionCorruptError if the application wants that */
  private report(problem: BlobProblem | 'refused by the codec'): void {
    const { onCorrupt, onUnmovable } = this.input;
    onUnmovable(problem);
    if (onCorrupt === 'new-session') return;
    throw new SessionCorruptError(
      `Cannot move a session: it is ${problem}. Delete the key; the client gets a new session.`,
    );
  }
}
