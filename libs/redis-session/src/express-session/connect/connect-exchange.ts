import { type ServerResponse } from 'node:http';
import { RedisSessionError, SessionStoreError } from '../../session/session.errors.js';
import { failureAnswer } from '../../http/request/failures.js';
import { type ProblemAnswer } from '../../http/answers/http-answer.js';
import { type ResponseCommitter } from '../../http/response/response-committer.js';
import { signConnectId } from '../../http/session-id/cookie-signature.js';
import { cookieLine, isSecureConnection } from './connect-cookie.js';
import {
  type ConnectRequest,
  type ConnectSessionMethods,
  showSession,
} from './connect-session-object.js';
import { type ResolvedConnectOptions } from './connect-session.options.js';
import { called, findBlob, type StoredBlob } from './connect-store.js';

/** One request: loads its session, and saves it before the response leaves, by the rules of express-session. */
export class ConnectExchange implements ResponseCommitter, ConnectSessionMethods {
  private loadedId = '';
  private loadedText: string | undefined;
  private savedText: string | undefined;
  /** As it was saved with the response. */
  private textAtEnd: string | undefined;
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
    const blob = id === undefined ? undefined : await findBlob(store, id);
    if (id === undefined || !blob) this.generate();
    else this.show(id, blob);
    this.loadedId = this.request.sessionID ?? '';
    this.loadedText = this.text();
    if (blob && !resave) this.savedText = this.loadedText;
  }

  /** Starts an empty session; the one before stays stored. */
  generate(): void {
    this.isDestroyed = false;
    this.show(this.options.generateId(this.request), {});
  }

  /** Ends the session, and starts an empty one, even when the store fails. */
  async regenerate(): Promise<void> {
    try {
      await this.destroy();
    } finally {
      this.generate();
    }
  }

  async destroy(): Promise<void> {
    const id = this.request.sessionID;
    delete this.request.session;
    this.isDestroyed = true;
    if (id) await called((done) => this.options.store.destroy(id, done));
  }

  async reload(): Promise<void> {
    const id = this.request.sessionID ?? '';
    const blob = await findBlob(this.options.store, id);
    if (!blob) throw new Error('failed to load session');
    this.show(id, blob);
  }

  async save(): Promise<void> {
    const { session, sessionID = '' } = this.request;
    const text = this.text();
    await called((done) => this.options.store.set(sessionID, session as never, done));
    this.savedText = text;
  }

  needsCommit(): boolean {
    return this.mustDestroy() || this.mustSave() || this.mustTouch();
  }

  async commit(): Promise<void> {
    try {
      this.touchOnce();
      if (this.mustDestroy()) await this.destroy();
      else if (this.mustSave()) await this.saveAtEnd();
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
    const [secret = ''] = this.options.secretsOf(this.request);
    this.touchOnce();
    const value = signConnectId(session.id, secret);
    const line = cookieLine(this.options.name, value, session.cookie);
    response.appendHeader('Set-Cookie', line);
  }

  describeFailure(error: unknown): ProblemAnswer {
    return failureAnswer(error);
  }

  onLateFailure(error: unknown): void {
    const reason = error instanceof RedisSessionError ? error.message : 'unexpected error';
    this.options.logger.error(`The session of a request was not saved: ${reason}`);
  }

  private show(id: string, blob: StoredBlob): void {
    this.request.sessionID = id;
    showSession(this.request, blob, this, this.options);
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

  /** A save renews the session in the store, too: nothing is left to touch. */
  private async saveAtEnd(): Promise<void> {
    const text = this.text();
    await this.save();
    this.textAtEnd = text;
    this.isStoreTouched = true;
  }

  /** A session whose id has changed is saved with the response although it was saved before: its cookie may have changed. */
  private mustSave(): boolean {
    const { session, sessionID } = this.request;
    const text = this.text();
    if (!session || this.hasBogusId || text === this.textAtEnd) return false;
    const isSaved = sessionID === this.loadedId && text === this.savedText;
    const isStored = this.requestedId === sessionID || this.savedText !== undefined;
    return isStored || this.options.saveUninitialized ? !isSaved : this.isModified();
  }

  private mustTouch(): boolean {
    const { session, sessionID } = this.request;
    const isStored = session && !this.hasBogusId && this.requestedId === sessionID;
    return Boolean(isStored) && !this.isStoreTouched && this.options.store.touch !== undefined;
  }

  private mustTell(): boolean {
    const { rolling, saveUninitialized } = this.options;
    if (this.hasBogusId) return false;
    if (this.requestedId !== this.request.sessionID) return saveUninitialized || this.isModified();
    const hasExpiry = (this.request.session?.cookie.expires ?? null) !== null;
    return rolling || (hasExpiry && this.isModified());
  }

  /** What `genid` gives is not always an id; such a session lasts as long as its request. */
  private get hasBogusId(): boolean {
    return typeof (this.request.sessionID as unknown) !== 'string';
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
