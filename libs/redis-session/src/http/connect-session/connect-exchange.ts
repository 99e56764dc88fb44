import { type IncomingMessage, type ServerResponse } from 'node:http';
import { stringifySetCookie } from 'cookie';
import { RedisSessionError, SessionStoreError } from '../../session/session.errors.js';
import { settle } from '../express-session/settle.js';
import { type DoneCallback } from '../express-session/express-session.js';
import { toFailedResponse } from '../failed-response.js';
import { type FailedResponse, type ResponseCommitter } from '../response-committer.js';
import { ConnectCookie, signConnectId } from './connect-cookie.js';
import { type ResolvedConnectOptions } from './connect-session.options.js';
import { called, type ConnectStore, type StoredBlob } from './connect-store.js';
import { isSecureConnection } from './is-secure-connection.js';

/** `req.session` of the connect-style middleware: attributes, `cookie`, and methods that are not enumerable. */
export type ConnectSession = StoredBlob & { readonly id: string; cookie: ConnectCookie };

/** A request whose session is kept by an express-session store. */
export type ConnectRequest = IncomingMessage & {
  session?: ConnectSession | null;
  sessionID?: string;
  sessionStore?: ConnectStore;
};

const identity = (error: unknown): unknown => error;

/** One request: loads its session, and saves it before the response leaves, by the rules of express-session. */
export class ConnectExchange implements ResponseCommitter {
  private loadedId = '';
  private loadedText: string | undefined;
  private savedText: string | undefined;
  private isTouched = false;
  private isStoreTouched = false;
  private isDestroyed = false;

  constructor(
    private readonly request: ConnectRequest,
    private readonly requestedId: string | undefined,
    private readonly options: ResolvedConnectOptions,
  ) {
    request.sessionStore = options.store;
  }

  /** @throws what the store reports */
  async load(): Promise<void> {
    const { store, resave } = this.options;
    const id = this.requestedId;
    const blob = id === undefined ? undefined : await called((done) => store.get(id, done));
    if (id === undefined || typeof blob !== 'object' || blob === null) this.generate();
    else this.show(id, blob as StoredBlob);
    this.loadedId = this.request.sessionID ?? '';
    this.loadedText = this.text();
    if (blob && !resave) this.savedText = this.loadedText;
  }

  needsCommit(): boolean {
    return this.mustDestroy() || this.mustSave() || this.mustTouch();
  }

  async commit(): Promise<void> {
    try {
      this.touchOnce();
      if (this.mustDestroy()) await this.destroy();
      else if (this.mustSave()) await this.save();
      else if (this.mustTouch()) await this.touchStored();
    } catch (error) {
      throw SessionStoreError.create('save the session', error);
    }
  }

  hasHeadersToWrite(): boolean {
    const { session } = this.request;
    if (!session || !this.mustTell()) return false;
    return session.cookie.secure !== true || isSecureConnection(this.request, this.options.proxy);
  }

  writeHeaders(response: ServerResponse): void {
    const { session } = this.request;
    if (!session) return;
    const { cookie } = session;
    const { domain, httpOnly, partitioned, path, priority, secure, sameSite } = cookie;
    const [secret = ''] = this.options.secrets;
    this.touchOnce();
    const line = stringifySetCookie({
      name: this.options.name,
      value: signConnectId(session.id, secret),
      ...{ httpOnly, path, secure: secure === true, partitioned: partitioned === true },
      ...(domain !== undefined && { domain }),
      ...(priority !== undefined && { priority }),
      ...(sameSite !== undefined && { sameSite }),
      ...(cookie.expires && { expires: cookie.expires }),
    });
    response.appendHeader('Set-Cookie', line);
  }

  describeFailure(error: unknown): FailedResponse {
    return toFailedResponse(error);
  }

  onLateFailure(error: unknown): void {
    const reason = error instanceof RedisSessionError ? error.message : 'unexpected error';
    this.options.logger.error(`The session of a request was not saved: ${reason}`);
  }

  private generate(): void {
    this.isDestroyed = false;
    this.show(this.options.generateId(this.request), {});
  }

  private show(id: string, { cookie: stored, ...attributes }: StoredBlob): void {
    const defaults = this.options.cookieOf(this.request);
    const cookie =
      typeof stored === 'object' && stored !== null
        ? ConnectCookie.restore(stored, plain(defaults))
        : new ConnectCookie(plain(defaults));
    if (defaults.secure === 'auto' || defaults.sameSite === 'auto') {
      const isSecure = isSecureConnection(this.request, this.options.proxy);
      if (defaults.secure === 'auto') cookie.secure = isSecure;
      if (defaults.sameSite === 'auto') cookie.sameSite = isSecure ? 'none' : 'lax';
    }
    const session = { cookie } as unknown as ConnectSession;
    const touch = () => {
      session.cookie.maxAge = session.cookie.originalMaxAge;
      return session;
    };
    const hidden = {
      ...{ id, touch, resetMaxAge: touch },
      destroy: this.method(() => this.destroy()),
      regenerate: this.method(() => this.regenerate()),
      reload: this.method(() => this.reload()),
      save: this.method(() => this.save()),
    };
    for (const [name, value] of Object.entries(hidden)) {
      Object.defineProperty(session, name, { value, writable: true, configurable: true });
    }
    // As express-session does: a stored `save` or `__proto__` is no method and no prototype.
    for (const [name, value] of Object.entries(attributes)) {
      if (!(name in session)) session[name] = value;
    }
    Object.assign(this.request, { session, sessionID: id });
  }

  private method(work: () => Promise<void>): (callback?: DoneCallback) => unknown {
    return (callback) => (callback ? settle(work(), callback, identity) : work());
  }

  private async regenerate(): Promise<void> {
    await this.destroy();
    this.generate();
  }

  private async destroy(): Promise<void> {
    const id = this.request.sessionID;
    delete this.request.session;
    this.isDestroyed = true;
    if (id) await called((done) => this.options.store.destroy(id, done));
  }

  private async reload(): Promise<void> {
    const id = this.request.sessionID ?? '';
    const blob = await called((done) => this.options.store.get(id, done));
    if (typeof blob !== 'object' || blob === null) throw new Error('failed to load session');
    this.show(id, blob as StoredBlob);
  }

  private async save(): Promise<void> {
    const { session, sessionID = '' } = this.request;
    const text = this.text();
    await called((done) => this.options.store.set(sessionID, session as never, done));
    this.savedText = text;
  }

  private async touchStored(): Promise<void> {
    const { session, sessionID = '' } = this.request;
    this.isStoreTouched = true;
    await called((done) => this.options.store.touch?.(sessionID, session as never, done));
  }

  private mustDestroy(): boolean {
    const { session, sessionID } = this.request;
    const isUnset = !session && Boolean(sessionID) && !this.isDestroyed;
    return this.options.unset === 'destroy' && isUnset;
  }

  private mustSave(): boolean {
    if (!this.request.session || this.text() === this.savedText) return false;
    const isStored = this.requestedId === this.request.sessionID;
    const wasSaved = this.savedText !== undefined;
    return isStored || wasSaved || this.options.saveUninitialized || this.isModified();
  }

  private mustTouch(): boolean {
    const { session, sessionID } = this.request;
    const isStored = session && this.requestedId === sessionID;
    return Boolean(isStored) && !this.isStoreTouched && this.options.store.touch !== undefined;
  }

  private mustTell(): boolean {
    const { rolling, saveUninitialized } = this.options;
    if (this.requestedId !== this.request.sessionID) return saveUninitialized || this.isModified();
    const hasExpiry = this.request.session?.cookie.expires !== null;
    return rolling || (hasExpiry && this.isModified());
  }

  /** The age of the cookie, and with it of the session, counts from this request on. */
  private touchOnce(): void {
    const { session } = this.request;
    if (!session || this.isTouched) return;
    this.isTouched = true;
    session.cookie.maxAge = session.cookie.originalMaxAge;
  }

  private isModified(): boolean {
    return this.request.sessionID !== this.loadedId || this.text() !== this.loadedText;
  }

  /** What is compared to see a change: the id and the attributes, not the cookie. */
  private text(): string {
    const { session, sessionID } = this.request;
    return JSON.stringify([sessionID, { ...session, cookie: undefined }]);
  }
}

function plain<T extends { secure?: unknown; sameSite?: unknown }>(options: T): T {
  return {
    ...options,
    secure: options.secure === 'auto' ? undefined : options.secure,
    sameSite: options.sameSite === 'auto' ? undefined : options.sameSite,
  };
}
