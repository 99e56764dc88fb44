import { type IncomingMessage, type ServerResponse } from 'node:http';
import { rememberedSeconds } from '../security/remember-me.js';
import { EMPTY_SECURITY_CONTEXT, type SecurityContext } from '../security/security-context.js';
import { type SecurityScope } from '../security/security-context-holder.js';
import { type MapSession, type SessionOwner } from '../session/map-session.js';
import {
  RedisSessionError,
  SessionInvalidatedError,
  SessionResponseCommittedError,
  SessionStoreError,
} from '../session/session.errors.js';
import { toFailedResponse } from './failed-response.js';
import { RequestFailures } from './request-failures.js';
import { type FailedResponse, type ResponseCommitter } from './response-committer.js';
import { type SessionRequestContext } from './session-request-context.js';

/** Something to do before the response leaves, beside saving the session. */
export type BeforeCommit = () => void | Promise<void>;

const requests = new WeakMap<object, SessionRequest>();

/**
 * The session of one request: found at most once, saved by {@link commit} and nowhere else.
 *
 * Mirrors `SessionRepositoryRequestWrapper` of Spring Session.
 */
export class SessionRequest implements SessionOwner, SecurityScope, ResponseCommitter {
  securityContext: SecurityContext = EMPTY_SECURITY_CONTEXT;
  /** Seconds the client shall keep the id if it is announced; undefined = as remembered, else as the resolver is configured. */
  announcedMaxAgeSeconds: number | undefined;
  private session: MapSession | undefined;
  private loading: Promise<void> | undefined;
  private isLoaded = false;
  private committing: Promise<void> | undefined;
  private readonly beforeCommit: BeforeCommit[] = [];
  private readonly endedSessions: MapSession[] = [];
  private hasEndedSession = false;
  private isContextLoaded = false;
  private isHeadWritten = false;
  private isPreparing = false;
  private lostSession: MapSession | undefined;
  private readonly failures = new RequestFailures();
  private candidateIds: readonly string[] | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    private readonly context: SessionRequestContext,
  ) {
    requests.set(request, this);
  }

  /** @returns undefined when the route is excluded from sessions */
  static of(request: object): SessionRequest | undefined {
    return requests.get(request);
  }

  /** What the client sent, best first; only ids that could be ours. */
  get requestedSessionIds(): readonly string[] {
    this.candidateIds ??= this.context.sessionIdResolver
      .resolveSessionIds(this.request)
      // Not `test`, which remembers where it was when the pattern has the flag g.
      .filter((id) => id.search(this.context.sessionIdPattern) !== -1);
    return this.candidateIds;
  }

  /** Whether the client sent an id that could be ours, but there is no such session (any more). */
  get isRequestedSessionInvalid(): boolean {
    return (
      this.isLoaded && !this.failures.isAny && this.requestedSessionIds.length > 0 && !this.session
    );
  }

  /** The session if it is loaded and has not ended. */
  get currentSession(): MapSession | undefined {
    return this.session?.isInvalidated ? undefined : this.session;
  }

  /** The session of the request. It is read from the repository at the first call. */
  async getSession(options: { readonly create: false }): Promise<MapSession | undefined>;
  async getSession(options?: { readonly create: true }): Promise<MapSession>;
  async getSession({ create } = { create: true }): Promise<MapSession | undefined> {
    await this.load();
    if (this.currentSession || !create) return this.currentSession;
    this.refuseIfAnnounced('create a session');
    this.session = this.context.repository.createSession();
    this.session.attachTo(this);
    return this.session;
  }

  /**
   * Reads the session, once per request however many ask.
   *
   * @returns undefined when there is nothing to wait for
   * @throws SessionStoreError
   */
  load(): Promise<void> | undefined {
    if (this.isLoaded) return undefined;
    if (this.requestedSessionIds.length === 0) {
      this.isLoaded = true;
      return undefined;
    }
    this.loading ??= this.findRequested();
    return this.loading;
  }

  /** Who the user is. Reads the session if it is not read yet; without a promise when there is nothing to wait for. */
  loadSecurityContext(): SecurityContext | Promise<SecurityContext> {
    const loading = this.load();
    if (loading) return loading.then(() => this.loadSecurityContext());
    if (this.isContextLoaded || !this.currentSession) return this.securityContext;
    this.isContextLoaded = true;
    const loaded = this.context.loadSecurityContext(this.currentSession);
    if (!(loaded instanceof Promise)) return (this.securityContext = loaded);
    return loaded.then((context) => (this.securityContext = context));
  }

  /** From now on the request is one of this user. What the session holds is not changed. */
  setSecurityContext(context: SecurityContext): void {
    this.securityContext = context;
    this.isContextLoaded = true;
  }

  /** Has the client forget an id that is of no use any more. */
  expireRequestedSession(): void {
    this.hasEndedSession = true;
  }

  /** Has `action` run before the response leaves; for code that cannot wait, such as exception filters. */
  doBeforeCommit(action: BeforeCommit): void {
    this.beforeCommit.push(action);
  }

  /**
   * Refuses what must not be done without the session that the client may have.
   *
   * @throws SessionStoreError when it could not be read and the request goes on as an anonymous one
   */
  refuseIfUnavailable(): void {
    this.failures.refuseIfAnonymous();
  }

  /**
   * Whether the response must wait for {@link commit}.
   *
   * @throws SessionEncodingError
   */
  needsCommit(): boolean {
    const { statusCode } = this.response;
    if (this.failures.isToldBy(statusCode)) return false;
    if (this.failures.isBlamedOnApp(statusCode)) return true;
    if (this.beforeCommit.length > 0 || this.endedSessions.length > 0) return true;
    try {
      return this.isDirty();
    } catch (error) {
      return this.failures.fail(error);
    }
  }

  /**
   * Saves what changed. Callers at the same time share one save, and save again only what changed since it began.
   * A session that has meanwhile ended elsewhere is left dead, and the request gets its normal answer.
   *
   * @throws SessionStoreError when the store failed: the prepared response must not be sent
   * @throws SessionInvalidatedError when the session ended while its id was changed: the client would not know the id
   * @throws SessionEncodingError
   */
  async commit(): Promise<void> {
    if (this.committing) {
      await this.committing;
      if (!this.needsCommit()) return;
    }
    this.committing ??= this.commitOnce()
      .catch((error: unknown) => this.failures.fail(error))
      .finally(() => {
        this.committing = undefined;
      });
    await this.committing;
  }

  /** Whether the client must be told something about the id of its session. Asked when the head is about to leave. */
  hasHeadersToWrite(): boolean {
    this.isHeadWritten = true;
    if (this.failures.isAny) return false;
    return this.mustAnnounce() || this.mustExpire();
  }

  /** Tells the client the id of its session, or that it has ended. */
  writeHeaders(response: ServerResponse): void {
    const { sessionIdResolver } = this.context;
    if (this.mustAnnounce() && this.session) {
      sessionIdResolver.setSessionId(this.request, response, {
        sessionId: this.session.id,
        maxAgeSeconds: this.announcedMaxAgeSeconds ?? rememberedSeconds(this.session),
      });
    } else if (this.mustExpire()) {
      sessionIdResolver.expireSession(this.request, response);
    }
  }

  /** The response in place of the prepared one, whose session could not be saved. */
  describeFailure(error: unknown): FailedResponse {
    if (!(error instanceof SessionStoreError)) this.reportFailure(error);
    return toFailedResponse(error);
  }

  onLateFailure(error: unknown): void {
    this.reportFailure(error);
  }

  /**
   * @throws SessionInvalidatedError when it is gone
   * @throws SessionResponseCommittedError when it is new and the client can no longer be told its id
   */
  async save(session: MapSession): Promise<void> {
    this.refuseIfUnavailable();
    if (session.isNew && this.isHeadWritten)
      throw SessionResponseCommittedError.create('create a session');
    await this.failures.watchStore(this.context.repository.save(session));
  }

  async invalidate(session: MapSession): Promise<void> {
    this.refuseIfUnavailable();
    this.endedSessions.push(session);
    this.securityContext = EMPTY_SECURITY_CONTEXT;
    await this.deleteEnded();
  }

  beforeChangeSessionId(): void {
    this.refuseIfAnnounced('change the session id');
  }

  private async findRequested(): Promise<void> {
    const { repository, clock, onStoreUnavailable, logger } = this.context;
    try {
      for (const id of this.requestedSessionIds) {
        this.session = await this.failures.watchStore(
          repository.findById(id, { accessTimeMs: clock() }),
        );
        if (this.session) break;
      }
      this.session?.attachTo(this);
    } catch (error) {
      if (onStoreUnavailable !== 'anonymous' || !(error instanceof SessionStoreError)) throw error;
      this.failures.goOnAnonymously(error);
      logger.warn(`${error.message} The request goes on as an anonymous one.`);
    }
    this.isLoaded = true;
  }

  private async commitOnce(): Promise<void> {
    this.failures.refuseToWaitAgain();
    await this.prepare();
    await this.deleteEnded();
    if (this.currentSession && this.isDirty()) await this.saveUnlessLost(this.currentSession);
  }

  private async prepare(): Promise<void> {
    this.isPreparing = true;
    try {
      for (const action of this.beforeCommit.splice(0)) await action();
    } finally {
      this.isPreparing = false;
    }
  }

  private async saveUnlessLost(session: MapSession): Promise<void> {
    const isIdChanged = session.hasChangedId;
    try {
      await this.save(session);
    } catch (error) {
      if (!(error instanceof SessionInvalidatedError)) throw error;
      this.lostSession = session;
      if (isIdChanged) throw error;
    }
  }

  private async deleteEnded(): Promise<void> {
    for (let ended = this.endedSessions[0]; ended; ended = this.endedSessions[0]) {
      await this.failures.watchStore(this.context.repository.invalidate(ended));
      if (this.endedSessions[0] === ended) this.endedSessions.shift();
      this.hasEndedSession ||= !ended.isNew || this.requestedSessionIds.length > 0;
    }
  }

  /** A response that waits for the commit answers as if sent; only what the commit itself runs is still in time. */
  private refuseIfAnnounced(action: string): void {
    const isInTime = this.isPreparing && !this.isHeadWritten;
    if (this.response.headersSent && !isInTime) throw SessionResponseCommittedError.create(action);
  }

  private reportFailure(error: unknown): void {
    const reason = error instanceof RedisSessionError ? error.message : 'unexpected error';
    this.context.logger.error(`The session of a request was not saved: ${reason}`);
  }

  private isDirty(): boolean {
    const session = this.currentSession;
    return session !== undefined && session !== this.lostSession && session.hasChanges;
  }

  private mustAnnounce(): boolean {
    const session = this.currentSession;
    if (!session || session.isNew || session === this.lostSession) return false;
    return (
      session.id !== this.requestedSessionIds[0] ||
      this.context.sessionIdResolver.mustRenewSessionId?.(this.request) === true
    );
  }

  private mustExpire(): boolean {
    return this.hasEndedSession && (!this.currentSession || this.currentSession.isNew);
  }
}
