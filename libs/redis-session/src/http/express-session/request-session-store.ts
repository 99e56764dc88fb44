import { EventEmitter } from 'node:events';
import { type MapSession } from '../../session/map-session.js';
import { SessionInvalidatedError } from '../../session/session.errors.js';
import { type SessionKeeper } from '../../session/stored-session-repository.js';
import { type DoneCallback } from './express-session.js';
import { settle } from './settle.js';

/** What a {@link RequestSessionStore} works with. */
export interface RequestSessionStoreInit {
  readonly clock: () => number;
  readonly repository: SessionKeeper;
  readonly sessionIdPattern: RegExp;
  readonly toError: (error: unknown) => unknown;
}

/** Called with the attributes of a session, null when there is none. */
export type FoundCallback = (error: unknown, session?: Record<string, unknown> | null) => void;

/**
 * `req.sessionStore`: reads and ends sessions of other clients by their id, by the methods of express-session's Store.
 *
 * `set` writes to sessions that exist. Unlike other stores it brings none back that has ended.
 */
export class RequestSessionStore extends EventEmitter {
  constructor(private readonly init: RequestSessionStoreInit) {
    super();
  }

  get(sessionId: string, callback: FoundCallback): void {
    let found: Record<string, unknown> | null = null;
    const work = async () => {
      const session = await this.find(sessionId);
      if (session) found = attributesOf(session);
    };
    settle(work(), (error) => callback(error, found), this.init.toError);
  }

  set(sessionId: string, attributes: object, callback: DoneCallback = ignore): void {
    const work = async () => {
      const session = await this.find(sessionId);
      if (!session) throw SessionInvalidatedError.create('set the session');
      const values: Record<string, unknown> = { ...attributes };
      delete values['cookie'];
      for (const name of session.attributeNames) {
        if (!Object.hasOwn(values, name)) session.removeAttribute(name);
      }
      for (const [name, value] of Object.entries(values)) session.setAttribute(name, value);
      await session.save();
    };
    settle(work(), callback, this.init.toError);
  }

  destroy(sessionId: string, callback: DoneCallback = ignore): void {
    const { repository, toError } = this.init;
    const work = this.isId(sessionId) ? repository.deleteById(sessionId) : Promise.resolve();
    settle(work, callback, toError);
  }

  /** Counts as an access. */
  touch(sessionId: string, _session: unknown, callback: DoneCallback = ignore): void {
    const { repository, clock, toError } = this.init;
    const work = async () => {
      if (this.isId(sessionId)) await repository.findById(sessionId, { accessTimeMs: clock() });
    };
    settle(work(), callback, toError);
  }

  private async find(sessionId: string): Promise<MapSession | undefined> {
    return this.isId(sessionId) ? this.init.repository.findById(sessionId) : undefined;
  }

  private isId(sessionId: string): boolean {
    return sessionId.search(this.init.sessionIdPattern) !== -1;
  }
}

function attributesOf(session: MapSession): Record<string, unknown> {
  const entries = session.attributeNames.map((name) => [name, session.getAttribute(name)] as const);
  return Object.fromEntries(entries);
}

function ignore(): void {
  // Nobody waits for it.
}
