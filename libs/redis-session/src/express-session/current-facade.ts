import { SessionInvalidatedError, SessionOptionError } from '../session/session.errors.js';
import { type SessionRequest } from '../http/request/session-request.js';
import { BoundSession, createSessionFacade } from './session-facade.js';
import { type DoneCallback, type ExpressSession } from './express-session.js';
import { type CookieDefaults, FacadeCookie } from './facade-cookie.js';
import { type IncomingMessage } from 'node:http';

/** What the `req.session` of all requests share. */
export interface FacadeSetup extends CookieDefaults {
  /** Makes of an error of the library what callbacks and promises of `req.session` give to the application. */
  readonly toError: (error: unknown) => unknown;
}

type Work = () => Promise<void>;

/** What `req.session` is at the moment: it changes when the session is regenerated, destroyed, or assigned null. */
export class CurrentFacade {
  private facade: ExpressSession | undefined;
  private bound: BoundSession | undefined;
  private endedId: string | undefined;
  private removed: { readonly value: null | undefined } | undefined;

  constructor(
    private readonly sessionRequest: SessionRequest,
    private readonly setup: FacadeSetup,
  ) {}

  /** undefined or null once it was destroyed or removed. */
  get current(): ExpressSession | null | undefined {
    if (this.removed) return this.removed.value;
    if (!this.facade || this.bound?.isStale) this.facade = this.createFacade();
    return this.facade;
  }

  /** `req.session = null` destroys it. @throws SessionOptionError for anything else than null, undefined and itself */
  set current(value: unknown) {
    if (value !== null && value !== undefined) {
      if (value === this.current) return;
      throw new SessionOptionError(
        'req.session must be null (which destroys the session) or left as it is, got another value. Set its properties, or call regenerate().',
      );
    }
    // A deletion that fails is tried again by the commit, and fails the response then.
    this.end().catch(() => undefined);
    this.removed = { value };
  }

  /** @returns the last one once the session has ended; undefined when there is none, and it is too late to make one */
  get sessionId(): string | undefined {
    if (this.removed) return this.endedId;
    const { currentSession, response } = this.sessionRequest;
    if (currentSession || response.headersSent) return currentSession?.id;
    return this.sessionRequest.obtainSession().id;
  }

  /** Ends the session and starts another one with nothing but the attributes `kept`. */
  async regenerate(kept: readonly string[] = []): Promise<void> {
    this.sessionRequest.refuseIfAnnounced('change the session id');
    const values = kept.map((name) => [name, this.current?.[name]] as const);
    await this.end();
    this.removed = undefined;
    this.facade = undefined;
    for (const [name, value] of values) {
      if (value !== undefined && this.current) this.current[name] = value;
    }
  }

  private async end(): Promise<void> {
    this.bound ??= new BoundSession(this.sessionRequest);
    this.endedId = this.bound.existing?.id ?? this.endedId;
    await this.bound.end();
  }

  private async destroy(): Promise<void> {
    await this.end();
    this.removed = { value: undefined };
  }

  private async reload(): Promise<void> {
    const session = await this.sessionRequest.reload();
    if (!session) throw SessionInvalidatedError.create('reload the session');
    this.bound?.standFor(session);
  }

  private createFacade(): ExpressSession {
    const { sessionRequest, setup } = this;
    const bound = new BoundSession(sessionRequest);
    this.bound = bound;
    const cookie = new FacadeCookie(bound, setup);
    const touch = () => {
      bound.existing?.touch(setup.clock());
      return facade;
    };
    const method = (work: Work) => () => this.toMethod(work, () => facade);
    const regenerate = (fields?: readonly string[] | DoneCallback, callback?: DoneCallback) => {
      const kept = Array.isArray(fields) ? (fields as readonly string[]) : [];
      const run = this.toMethod(
        () => this.regenerate(kept),
        () => facade,
      );
      return run(typeof fields === 'function' ? fields : callback);
    };
    const members = {
      id: () => (bound.existing ?? bound.obtain()).id,
      cookie: () => cookie,
      destroy: method(() => this.destroy()),
      regenerate: () => regenerate,
      reload: method(() => this.reload()),
      resetMaxAge: () => touch,
      save: method(() => sessionRequest.commit()),
      touch: () => touch,
      ...fastifyMembers(bound, cookie),
    };
    const facade = createSessionFacade(bound, {
      members,
      assignCookie: (other) => cookie.adopt(other),
    });
    return facade;
  }

  private toMethod(work: Work, self: () => ExpressSession): (callback?: DoneCallback) => unknown {
    const { toError } = this.setup;
    return (callback) => {
      if (typeof callback !== 'function') {
        const done = work().catch((error: unknown) => {
          throw toError(error);
        });
        // Nobody has to wait for it: the commit tries again, and fails the response then.
        done.catch(() => undefined);
        return done;
      }
      settle(work(), callback, toError);
      return self();
    };
  }
}

/** What the session of @fastify/session has beside that of express-session. */
function fastifyMembers(bound: BoundSession, cookie: FacadeCookie) {
  return {
    get: () => (name: string) => bound.read(name),
    isModified: () => () => bound.existing?.hasChanges === true,
    isSaved: () => () => bound.existing?.isStored === true && !bound.existing.hasChanges,
    options: () => (settings: object) => cookie.adopt(settings),
    set: () => (name: string, value: unknown) => bound.write(name, value),
  };
}

/** Gives `request` the properties that express-session gives it: `session`, `sessionID`, `sessionStore`. */
export function attachFacade(
  request: IncomingMessage,
  currentFacade: CurrentFacade,
  sessionStore: object,
): void {
  Object.defineProperties(request, {
    session: {
      configurable: true,
      enumerable: true,
      get: () => currentFacade.current,
      set: (value: unknown) => {
        currentFacade.current = value;
      },
    },
    sessionID: { configurable: true, enumerable: true, get: () => currentFacade.sessionId },
    sessionStore: { configurable: true, enumerable: true, value: sessionStore, writable: true },
  });
}

/**
 * Tells `callback` how `work` ends, outside of the promise: what the callback throws is its caller's, not ours.
 *
 * @param toError - makes of an error what the application is to see
 */
export function settle(
  work: Promise<void>,
  callback: DoneCallback,
  toError: (error: unknown) => unknown,
): void {
  work.then(
    () => process.nextTick(callback),
    (error: unknown) => process.nextTick(callback, toError(error)),
  );
}
