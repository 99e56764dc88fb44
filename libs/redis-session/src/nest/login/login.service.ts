import { Inject, Injectable } from '@nestjs/common';
import { type IncomingHttpHeaders } from 'node:http';
import { forbidCaching } from '../../http/response/cache-control.js';
import { SessionRequest } from '../../http/request/session-request.js';
import {
  type Authentication,
  sealCredentialStamp,
  defaultToAuthentication,
  nameFieldOf,
} from '../../security/authentication.js';
import { forgetRememberedSession, rememberSession } from '../../security/remember-me.js';
import {
  EMPTY_SECURITY_CONTEXT,
  requireAuthentication,
  type SecurityContext,
  sessionSecurityContextRepository,
} from '../../security/security-context.js';
import { protectFromSessionFixation, renewInPlace } from '../../security/session-fixation.js';
import {
  CSRF_SECRET_ATTRIBUTE,
  REMEMBER_ME_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
  SESSION_CLIENT_ATTRIBUTE,
} from '../../session/attributes/attribute-names.js';
import { type MapSession, viewOf } from '../../session/map-session.js';
import { type SessionClient } from '../../session/session-registry.js';
import {
  SessionLimitError,
  SessionOptionError,
  SessionStoreError,
} from '../../session/session.errors.js';
import { correlationId } from '../../session/session-id.js';
import { SecurityEvents, sessionRefOf } from '../access/security-events.service.js';
import { LoginFailedException } from '../access/security.exceptions.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { showUser, rawRequestOf } from '../call-context.js';
import { RESOLVED_OPTIONS } from '../redis-session.module-definition.js';

/** How a user logs in. */
export interface LoginOptions {
  /** Whether the session shall be a long-lived one. @defaultValue false */
  readonly isRemembered?: boolean;
  /** What has proved the identity, for events. */
  readonly strategy?: string;
}

/** What a login puts into the session. */
const LOGIN_ATTRIBUTES = [
  SECURITY_CONTEXT_ATTRIBUTE,
  SESSION_CLIENT_ATTRIBUTE,
  REMEMBER_ME_ATTRIBUTE,
];

/** The session of a request before its login. */
interface PreviousSession {
  readonly id: string;
  /** It is still stored, and ends when the login is admitted. */
  readonly replaced?: MapSession | undefined;
}

/** Logs a user in whose identity has been proved, by whatever means. `LoginGuard` uses it. */
@Injectable()
export class LoginService {
  private hasWarnedOfName = false;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Gives the session of a request of the platform a new id and stores the security context in it, before the response leaves.
   *
   * @param user - as the application knows it; what is kept of it is up to the option `security.toAuthentication`
   */
  async login(request: object, user: object, options: LoginOptions = {}): Promise<Authentication> {
    const sessionRequest = sessionRequestForLogin(request);
    const { clock, security } = this.options;
    const toAuthentication = security ? security.toAuthentication : defaultToAuthentication;
    if (toAuthentication === defaultToAuthentication) this.warnOfName(user);
    const authentication: Authentication = {
      ...toAuthentication(user),
      kind: 'full',
      authenticatedAt: clock(),
    };
    requireAuthentication(authentication);
    const stampOf = security ? security.credentialStamp : undefined;
    const credentialStamp = stampOf && sealCredentialStamp(stampOf(user));
    const isRemembered = options.isRemembered === true;
    const previous = await this.renewSession(sessionRequest, authentication);
    await this.keep(sessionRequest, { authentication, credentialStamp, isRemembered });
    await this.admit(sessionRequest, request, { ...options, replaced: previous?.replaced });
    this.tellOfNewId(sessionRequest, previous?.id);
    sessionRequest.announcement.force();
    const context = await sessionRequest.reloadSecurityContext();
    showUser(request, context);
    if (security) forbidCaching(sessionRequest.response, security.cacheControl);
    this.events.loggedIn(sessionRequest, authentication, options.strategy);
    return context.authentication ?? authentication;
  }

  /** Two users of the same display name would find, limit and end each other's sessions. */
  private warnOfName(user: object): void {
    if (this.hasWarnedOfName || !this.options.indexed || nameFieldOf(user) !== 'name') return;
    this.hasWarnedOfName = true;
    this.options.logger.warn(
      'Sessions are found by the `name` of a user, which others may share. Give users a `username`, `sub`, `id` or `email`, or set the option security.toAuthentication.',
    );
  }

  /**
   * Ends the session that is replaced, unless the login may still be refused. Of somebody who logs in again, none is
   * replaced then: two would count for a moment.
   *
   * @returns what was there before, undefined when there was no session
   */
  private async renewSession(
    sessionRequest: SessionRequest,
    { name }: Authentication,
  ): Promise<PreviousSession | undefined> {
    const { maxInactiveIntervalSeconds, security } = this.options;
    const session = await sessionRequest.getSession({ create: false });
    if (!session) return undefined;
    const { id } = session;
    const strategy = security ? security.sessionFixation : 'change-session-id';
    const previousName = sessionSecurityContextRepository.loadContext(viewOf(session))
      .authentication?.name;
    session.isVisitorLogin = previousName === undefined;
    if (previousName === name && this.mayRefuse) {
      renewInPlace(session, strategy, maxInactiveIntervalSeconds);
      return { id };
    }
    const isOfOther = previousName !== undefined && previousName !== name;
    const replaced = await protectFromSessionFixation(sessionRequest, strategy, isOfOther);
    if (replaced && this.mayRefuse) return { id, replaced };
    await replaced?.invalidate();
    return { id };
  }

  private get mayRefuse(): boolean {
    const { indexed } = this.options;
    return indexed?.maximumSessionsPolicy === 'reject-login' && indexed.maximumSessions !== -1;
  }

  private tellOfNewId(sessionRequest: SessionRequest, previousId: string | undefined): void {
    if (previousId === undefined || previousId === sessionRequest.currentSession?.id) return;
    this.events.publish('session-id-changed', {
      previousSessionRef: correlationId(previousId),
      sessionRef: sessionRefOf(sessionRequest),
    });
  }

  /** With the indexed repository: where the login came from, and whether the user may have one more session. */
  private async admit(
    sessionRequest: SessionRequest,
    request: object,
    { strategy, replaced }: Pick<LoginOptions, 'strategy'> & Partial<PreviousSession>,
  ): Promise<void> {
    const { indexed } = this.options;
    if (!indexed) return;
    const session = await sessionRequest.getSession();
    session.setAttribute(SESSION_CLIENT_ATTRIBUTE, sessionClientOf(request));
    if (indexed.maximumSessions === -1) return;
    try {
      await session.save();
    } catch (error) {
      if (!(error instanceof SessionLimitError)) throw error;
      if (replaced) sessionRequest.adopt(replaced);
      await this.undo(sessionRequest, replaced ?? session);
      sessionRequest.setSecurityContext(EMPTY_SECURITY_CONTEXT);
      this.events.publish('authentication-failure', { reason: 'maximum-sessions', strategy });
      throw new LoginFailedException('maximum-sessions', { cause: error });
    }
    if (replaced) await this.endReplaced(sessionRequest, replaced);
  }

  /** The login counts: it is answered even if the store fails just now. Nobody is logged in by the earlier id but its user. */
  private async endReplaced(sessionRequest: SessionRequest, replaced: MapSession): Promise<void> {
    sessionRequest.setSecurityContext(EMPTY_SECURITY_CONTEXT);
    // The failure is not one of the request, which would answer it with 503.
    replaced.attachTo(sessionRequest.setup.repository);
    try {
      await replaced.invalidate();
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      this.options.logger.warn(
        'Cannot delete the session that a login has replaced: the store failed. Its user stays logged in there until it expires; check that the store accepts writes.',
      );
    }
  }

  /** Nothing of the login was stored. A session that has not been stored before becomes a visitor's. */
  private async undo(sessionRequest: SessionRequest, session: MapSession): Promise<void> {
    if (!session.isNew) {
      if (!(await sessionRequest.reload())) sessionRequest.forgetSession();
      return;
    }
    const { maxInactiveIntervalSeconds, security } = this.options;
    for (const name of LOGIN_ATTRIBUTES) session.removeAttribute(name);
    session.maxInactiveIntervalSeconds =
      (security && security.anonymousMaxInactiveIntervalSeconds) || maxInactiveIntervalSeconds;
  }

  private async keep(sessionRequest: SessionRequest, context: SecurityContext): Promise<void> {
    const { maxInactiveIntervalSeconds, security } = this.options;
    const { isRemembered } = context;
    const session = await sessionRequest.getSession();
    // A token that somebody knew before the login is of no use after it.
    session.removeAttribute(CSRF_SECRET_ATTRIBUTE);
    if (security && isRemembered) rememberSession(session, security.rememberMe);
    else forgetRememberedSession(session, maxInactiveIntervalSeconds);
    if (security && security.anonymousMaxInactiveIntervalSeconds !== undefined && !isRemembered) {
      session.maxInactiveIntervalSeconds = maxInactiveIntervalSeconds;
    }
    sessionSecurityContextRepository.saveContext(session, context);
  }
}

/** A header can be 16 kB long; this much tells browsers apart. */
const MAX_USER_AGENT_LENGTH = 256;

/** What a request of the platform knows, which sees the address behind trusted proxies. */
interface ClientRequest {
  readonly headers?: IncomingHttpHeaders;
  readonly ip?: string;
}

function sessionClientOf({ headers, ip }: ClientRequest): SessionClient {
  return { ip, userAgent: headers?.['user-agent']?.slice(0, MAX_USER_AGENT_LENGTH) };
}

/** What a login says that has no session to keep it in. */
export const NO_SESSION =
  'Cannot log in: the request did not pass through RedisSessionModule. Import RedisSessionModule.forRoot(), and take the route out of its option exclude.';

/** The session of a request that logs in. @throws SessionOptionError when it has none */
export function sessionRequestForLogin(request: object): SessionRequest {
  const sessionRequest = SessionRequest.of(rawRequestOf(request));
  if (sessionRequest) return sessionRequest;
  throw new SessionOptionError(NO_SESSION);
}
