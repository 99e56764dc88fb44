import { EventEmitter } from 'node:events';
import { type MapSession } from '../session/map-session.js';
import { SessionInvalidatedError } from '../session/session.errors.js';
import { type SessionKeeper } from '../session/stored-session-repository.js';
import { type DoneCallback, type ExpressSession } from './express-session.js';
import { type CookieDefaults, FacadeCookie } from './facade-cookie.js';
import { isOwnAttribute } from '../session/attributes/attribute-names.js';
import { settle } from './current-facade.js';

interface FacadeStoreInput extends CookieDefaults {
  readonly repository: SessionKeeper;
  readonly sessionIdPattern: RegExp;
  readonly toError: (error: unknown) => unknown;
}

/** Called with the attributes of a session, null when there is none. */
export type FoundCallback = (error: unknown, session?: Record<string, unknown> | null) => void;

/**
 * `req.sessionStore`: reads and ends sessions of other clients by their id, by the methods of express-session's Store.
 *
 * `set` writes to sessions that exist. Unlike other stores it brings none back that has ended, and it leaves attributes of
 * the library, such as who the user is, as they are.
 */
export class FacadeStore extends EventEmitter {
  constructor(private readonly input: FacadeStoreInput) {
    super();
  }

  get(sessionId: string, callback: FoundCallback): void {
    let found: Record<string, unknown> | null = null;
    const work = async () => {
      const session = await this.find(sessionId);
      if (session) found = { cookie: this.cookieOf(session).data, ...attributesOf(session) };
    };
    settle(work(), (error) => callback(error, found), this.input.toError);
  }

  set(sessionId: string, attributes: object, callback: DoneCallback = ignore): void {
    const work = async () => {
      const session = await this.find(sessionId);
      if (!session) throw SessionInvalidatedError.create('set the session');
      const { cookie, ...values } = attributes as Record<string, unknown>;
      for (const name of listedNamesOf(session)) {
        if (!Object.hasOwn(values, name)) session.removeAttribute(name);
      }
      for (const [name, value] of Object.entries(values)) {
        if (!isOwnAttribute(name)) session.setAttribute(name, value);
      }
      this.cookieOf(session).adopt(cookie);
      await session.save();
    };
    settle(work(), callback, this.input.toError);
  }

  destroy(sessionId: string, callback: DoneCallback = ignore): void {
    const { repository, toError } = this.input;
    const work = this.isId(sessionId) ? repository.deleteById(sessionId) : Promise.resolve();
    settle(work, callback, toError);
  }

  /** Counts as an access. */
  touch(sessionId: string, _session: unknown, callback: DoneCallback = ignore): void {
    const { repository, clock, toError } = this.input;
    const work = async () => {
      if (this.isId(sessionId)) await repository.findById(sessionId, { accessTimeMs: clock() });
    };
    settle(work(), callback, toError);
  }

  /** Ends the session of `request` and starts an empty one. */
  regenerate(
    { session }: { readonly session: Pick<ExpressSession, 'regenerate'> },
    callback: DoneCallback,
  ): void {
    session.regenerate(callback);
  }

  private cookieOf(session: MapSession): FacadeCookie {
    const owner = { existing: session, beforeSave: () => undefined, announce: () => undefined };
    return new FacadeCookie(owner, this.input);
  }

  private async find(sessionId: string): Promise<MapSession | undefined> {
    return this.isId(sessionId) ? this.input.repository.findById(sessionId) : undefined;
  }

  private isId(sessionId: string): boolean {
    return sessionId.search(this.input.sessionIdPattern) !== -1;
  }
}

function attributesOf(session: MapSession): Record<string, unknown> {
  return Object.fromEntries(
    listedNamesOf(session).map((name) => [name, session.getAttribute(name)] as const),
  );
}

function listedNamesOf(session: MapSession): readonly string[] {
  return session.attributeNames.filter((name) => !isOwnAttribute(name));
}

function ignore(): void {
  // Nobody waits for it.
}
