import { type IncomingMessage } from 'node:http';
import { type DoneCallback } from '../express-session.js';
import { settle } from '../current-facade.js';
import { ConnectCookie, isSecureConnection } from './connect-cookie.js';
import { type ResolvedConnectOptions } from './connect-session.options.js';
import { type ConnectStore, type StoredBlob } from './connect-store.js';

/** `req.session` of the connect-style middleware: attributes, `cookie`, and methods that are not enumerable. */
export type ConnectSession = StoredBlob & { readonly id: string; cookie: ConnectCookie };

/** A request whose session is kept by an express-session store. */
export type ConnectRequest = IncomingMessage & {
  session?: ConnectSession | null;
  sessionID?: string;
  sessionStore?: ConnectStore;
};

/** What the methods of a session do; each fails with what the store reports. */
export interface ConnectSessionMethods {
  destroy(): Promise<void>;
  regenerate(): Promise<void>;
  reload(): Promise<void>;
  save(): Promise<void>;
}

const NAMES = ['destroy', 'regenerate', 'reload', 'save'] as const;
const identity = (error: unknown): unknown => error;

/** Gives `request` the session that `blob` is, or a new one. @param blob - with `cookie`, without when it is new */
export function showSession(
  request: ConnectRequest,
  { cookie: stored, ...attributes }: StoredBlob,
  methods: ConnectSessionMethods,
  options: ResolvedConnectOptions,
): void {
  const isStored = typeof stored === 'object' && stored !== null;
  const cookie = isStored ? ConnectCookie.restore(stored) : newCookie(request, options);
  const session = { cookie } as unknown as ConnectSession;
  const touch = () => {
    session.cookie.maxAge = session.cookie.originalMaxAge;
    return session;
  };
  for (const [name, value] of Object.entries({ id: request.sessionID, req: request }))
    Object.defineProperty(session, name, { value });
  for (const [name, value] of Object.entries({ touch, resetMaxAge: touch }))
    Object.defineProperty(session, name, { value, writable: true, configurable: true });
  for (const name of NAMES) {
    const value = methodOf(name, session, methods, options);
    Object.defineProperty(session, name, { value, writable: true, configurable: true });
  }
  // As express-session does: a stored `save` or `__proto__` is no method and no prototype.
  for (const [name, value] of Object.entries(attributes)) {
    if (!(name in session)) session[name] = value;
  }
  request.session = session;
}

/** Calls back, or returns a promise, which nobody has to wait for. */
function methodOf(
  name: keyof ConnectSessionMethods,
  session: ConnectSession,
  methods: ConnectSessionMethods,
  { logger }: ResolvedConnectOptions,
): (callback?: DoneCallback) => unknown {
  return (callback) => {
    const done = methods[name]();
    if (callback) {
      settle(done, callback, identity);
      return session;
    }
    // What a store says may hold an id.
    done.catch(() =>
      logger.error(
        `Cannot ${name} a session: the store reported an error. Await ${name}() to get it.`,
      ),
    );
    return done;
  };
}

function newCookie(request: IncomingMessage, options: ResolvedConnectOptions): ConnectCookie {
  const settings = options.cookieOf(request);
  const isSecure = isSecureConnection(request, options.proxy);
  const cookie = new ConnectCookie(settings);
  if (settings.secure === 'auto') cookie.secure = isSecure;
  if (settings.sameSite === 'auto') cookie.sameSite = isSecure ? 'none' : 'lax';
  return cookie;
}
