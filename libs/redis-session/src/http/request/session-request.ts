import { type IncomingMessage, type ServerResponse } from 'node:http';
import {
  EMPTY_SECURITY_CONTEXT,
  type SecurityContext,
  type SecurityScope,
} from '../../security/security-context.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import { type MapSession } from '../../session/map-session.js';
import {
  SessionInvalidatedError,
  SessionResponseCommittedError,
} from '../../session/session.errors.js';
import { BeforeCommitActions, EarlyEnd, EndedSessions } from './before-commit.js';
import { RequestFailures } from './failures.js';
import { RequestedSession, SessionAnnouncement } from './session-exchange.js';
import { type FailureHandler } from '../response/response-committer.js';
import { type ProblemAnswer } from '../answers/http-answer.js';
import { type RequestSetup } from './request-setup.js';

const requests = foreignProperty<SessionRequest>('session request');

/**
 * The session of one request: found at most once, saved by {@link commit} and nowhere else. Also a `SessionOwner` and a
 * `ResponseCommitter`. Mirrors `SessionRepositoryRequestWrapper` of Spring Session.
 */
export class SessionRequest implements SecurityScope {
  securityContext: SecurityContext = EMPTY_SECURITY_CONTEXT;
  private session: MapSession | undefined;
  private contextLoading: Promise<SecurityContext> | undefined;
  private committing: Promise<void> | undefined;
  private beforeCommit: BeforeCommitActions | undefined;
  /** Done to a new session right before it is stored for the first time. */
  readonly beforeFirstSave: ((session: MapSession) => void)[] = [];
  private endedSessions: EndedSessions | undefined;
  private isContextLoaded = false;
  private isHeadWritten = false;
  private lostSession: MapSession | undefined;
  /** Of a session that was made for saved requests. @internal */
  earlyEnd: EarlyEnd | undefined;
  /** What the client sent, and what was found by it. @internal */
  readonly requested: RequestedSession;
  /** @internal */
  readonly announcement: SessionAnnouncement;
  /** What went wrong, and who answers for it. @internal */
  readonly failures: RequestFailures;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly setup: RequestSetup,
  ) {
    this.failures = new RequestFailures(setup.logger);
    this.requested = new RequestedSession(request, setup, this.failures);
    this.announcement = new SessionAnnouncement(request, this.requested, setup);
    requests.set(request, this);
  }

  /** @returns undefined when the route is excluded from sessions */
  static of(request: object): SessionRequest | undefined {
    return requests.get(request);
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
    return create ? this.obtainSession() : this.currentSession;
  }

  /** As {@link getSession}, once the session has been read. @throws SessionResponseCommittedError */
  obtainSession(): MapSession {
    return this.currentSession ?? this.startSession();
  }

  /** Begins a session. The one before stays in the store. @throws SessionResponseCommittedError */
  startSession(): MapSession {
    this.refuseIfAnnounced('create a session');
    return this.adopt(this.setup.repository.createSession());
  }

  /** From now on `session` is that of the request. The one before stays in the store. */
  adopt(session: MapSession): MapSession {
    session.attachTo(this);
    return (this.session = session);
  }

  /** Reads a stored session again; changes that are not saved are forgotten. @returns undefined when it is gone */
  async reload(): Promise<MapSession | undefined> {
    if (!this.currentSession || this.currentSession.isNew) return undefined;
    const found = this.setup.repository.findById(this.currentSession.storedId);
    const stored = await this.failures.watchStore(found);
    return stored && this.adopt(stored);
  }

  /** The request goes on without its session and its user, because the store has lost them. */
  forgetSession(): void {
    this.session = this.requested.session = undefined;
    this.setSecurityContext(EMPTY_SECURITY_CONTEXT);
  }

  /** Reads the session, once however many ask. @returns undefined when there is nothing to wait for. @throws SessionStoreError */
  load(): Promise<void> | undefined {
    const loading = this.requested.load();
    if (!loading) this.takeRequested();
    return loading?.then(() => this.takeRequested());
  }

  /** Who the user is. Reads the session if it is not read yet; without a promise when there is nothing to wait for. */
  loadSecurityContext(): SecurityContext | Promise<SecurityContext> {
    const loading = this.load();
    if (loading) return loading.then(() => this.loadSecurityContext());
    if (this.contextLoading) return this.contextLoading;
    if (this.isContextLoaded || !this.currentSession) return this.securityContext;
    const loaded = this.setup.loadSecurityContext(this.currentSession);
    if (!(loaded instanceof Promise)) return this.setSecurityContext(loaded);
    this.contextLoading = loaded.then((context) => this.setSecurityContext(context));
    return this.contextLoading;
  }

  /** Who the user is now that the session holds another security context. */
  reloadSecurityContext(): SecurityContext | Promise<SecurityContext> {
    this.isContextLoaded = false;
    return this.loadSecurityContext();
  }

  /** From now on the request is one of this user. What the session holds is not changed. */
  setSecurityContext(context: SecurityContext): SecurityContext {
    this.securityContext = context;
    this.isContextLoaded = true;
    this.contextLoading = undefined;
    return context;
  }

  /** Has `action` run before the response leaves; for code that cannot wait, such as exception filters. */
  doBeforeCommit(action: () => void | Promise<void>): void {
    this.beforeCommit ??= new BeforeCommitActions();
    this.beforeCommit.add(action);
  }

  /** Whether the response must wait for {@link commit}. @throws SessionEncodingError. @internal */
  needsCommit(): boolean {
    const { statusCode } = this.response;
    if (this.failures.isToldBy(statusCode)) return false;
    if (this.failures.isBlamedOnApp(statusCode)) return true;
    if (this.beforeCommit?.isPending || this.endedSessions?.isPending) return true;
    try {
      return this.keptSession?.hasChanges === true;
    } catch (error) {
      return this.failures.fail(error);
    }
  }

  /**
   * Saves what changed. Callers at the same time share one save, and save again only what changed since it began. A session
   * that has ended elsewhere is left dead.
   *
   * @throws SessionInvalidatedError when the id of such a session was changed: the client would not know it
   * @throws SessionStoreError, SessionEncodingError
   */
  async commit(): Promise<void> {
    if (this.committing) {
      await this.committing;
      if (!this.needsCommit()) return;
    }
    this.committing ??= this.commitOnce()
      .catch((error: unknown) => this.failures.fail(error))
      .finally(() => (this.committing = undefined));
    await this.committing;
  }

  /** @internal */
  hasHeadersToWrite(): boolean {
    this.isHeadWritten = true;
    return !this.failures.isAnonymous && this.announcement.isDue(this.keptSession);
  }

  /** @internal */
  writeHeaders(response: ServerResponse): void {
    this.announcement.write(response, this.keptSession);
  }

  /** @internal */
  takeFailureHandler(): FailureHandler | undefined {
    return this.failures.takeHandler();
  }

  /** @internal */
  describeFailure(error: unknown): ProblemAnswer {
    return this.failures.describe(error);
  }

  /** @internal */
  onLateFailure(error: unknown): void {
    this.failures.report(error);
  }

  /** Of the owner of a session. @internal */
  async save(session: MapSession): Promise<void> {
    this.failures.refuseIfAnonymous();
    if (session.isNew && this.isHeadWritten) this.refuseIfAnnounced('create a session');
    if (session.isNew) for (const change of this.beforeFirstSave.splice(0)) change(session);
    this.earlyEnd?.review(session);
    try {
      await this.failures.watchStore(this.setup.repository.save(session));
      if (this.lostSession === session) this.lostSession = undefined;
    } catch (error) {
      if (error instanceof SessionInvalidatedError) this.lostSession = session;
      throw error;
    }
  }

  /** Of the owner of a session. @internal */
  async invalidate(session: MapSession): Promise<void> {
    this.failures.refuseIfAnonymous();
    this.setSecurityContext(EMPTY_SECURITY_CONTEXT);
    this.endedSessions ??= new EndedSessions((ended) => this.deleteEnded(ended));
    await this.endedSessions.add(session);
  }

  /** What the request has made of its session by now counts more than what was found. */
  private takeRequested(): void {
    const { session } = this.requested;
    if (this.session || !session) return;
    this.adopt(session);
    const { visitorTimeouts, onSessionRead } = this.setup;
    if (session.maxInactiveIntervalSeconds === visitorTimeouts?.savedRequestSeconds)
      this.earlyEnd = EarlyEnd.of(session, visitorTimeouts);
    onSessionRead?.(session, this.response);
  }

  private async commitOnce(): Promise<void> {
    this.failures.refuseToWaitAgain();
    await this.beforeCommit?.runAll();
    await this.endedSessions?.deleteAll();
    if (this.keptSession?.hasChanges) await this.saveUnlessLost(this.keptSession);
  }

  private async saveUnlessLost(session: MapSession): Promise<void> {
    try {
      await this.save(session);
    } catch (error) {
      if (session.hasChangedId || !(error instanceof SessionInvalidatedError)) throw error;
    }
  }

  private async deleteEnded(session: MapSession): Promise<void> {
    await this.failures.watchStore(this.setup.repository.invalidate(session));
    if (session.isStored || this.requested.ids.length > 0) this.announcement.expire();
  }

  /** A response that waits for the commit answers as if sent; only what the commit itself runs is still in time. @internal */
  refuseIfAnnounced(action: string): void {
    const isInTime = this.beforeCommit?.isRunning === true && !this.isHeadWritten;
    if (this.response.headersSent && !isInTime) throw SessionResponseCommittedError.create(action);
  }

  /** The session unless the store has lost it: then nothing is saved or told any more, but for a login. */
  private get keptSession(): MapSession | undefined {
    const { currentSession: session, lostSession } = this;
    return session === lostSession && !session?.isVisitorLogin ? undefined : session;
  }
}
