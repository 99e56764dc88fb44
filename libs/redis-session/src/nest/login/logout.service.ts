import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { redirectAnswer } from '../../http/answers/http-exchange.js';
import { isBrowserNavigation } from '../../http/answers/request-matchers.js';
import { SessionRequest } from '../../http/request/session-request.js';
import { EMPTY_SECURITY_CONTEXT } from '../../security/security-context.js';
import { type MapSession } from '../../session/map-session.js';
import { SIGNED_OUT_REASON } from '../../session/session-registry.js';
import { SessionRepository, isIndexed } from '../../session/session-repository.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { CsrfTokenService } from '../access/csrf.js';
import { SecurityEvents, sessionRefOf } from '../access/security-events.service.js';
import { CsrfException, toHttpException } from '../access/security.exceptions.js';
import { HttpPlatform } from '../http-platform.js';
import { rawRequestOf } from '../call-context.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { type ResolvedLogoutOptions } from '../options/security.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.module-definition.js';

/** What a logout ends. */
export interface LogoutScope {
  /** Whether all sessions of the user end; needs `repository: 'indexed'`. @defaultValue false */
  readonly endsEverySession?: boolean;
}

/** Ends the session of a request. Mirrors `SecurityContextLogoutHandler` of Spring Security. */
@Injectable()
export class LogoutService {
  constructor(
    private readonly platform: HttpPlatform,
    private readonly events: SecurityEvents,
    @Inject(SessionRepository) private readonly repository: object,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Deletes the session of a request of the platform now, and those of further ids that the client has sent. The response clears
   * the cookie. Then the handlers of the option `security.logout` run, also without a session.
   *
   * @throws SessionStoreError when Redis fails: the user may still be logged in
   * @throws SessionOptionError when every session is to end and sessions are not indexed
   */
  async logout(request: object, { endsEverySession = false }: LogoutScope = {}): Promise<void> {
    const sessionRequest = SessionRequest.of(rawRequestOf(request));
    if (!sessionRequest) return;
    const { authentication } = await sessionRequest.loadSecurityContext();
    sessionRequest.failures.refuseIfAnonymous();
    const sessionRef = this.events.isHeard ? sessionRefOf(sessionRequest) : undefined;
    const session = sessionRequest.currentSession;
    // The own one last: if Redis fails in between, the user is logged in and can try again.
    if (session && endsEverySession) await this.endOthers(session);
    for (const other of await sessionRequest.requested.findOthers()) {
      other.attachTo(sessionRequest);
      await other.invalidate();
    }
    await session?.invalidate();
    sessionRequest.setSecurityContext(EMPTY_SECURITY_CONTEXT);
    Object.assign(request, { user: undefined });
    const { security } = this.options;
    const exchange = this.platform.exchange(request, sessionRequest.response);
    for (const handler of (security && security.logout?.handlers) || []) {
      await handler.logout(exchange, authentication);
    }
    if (authentication) this.events.publish('logout', { name: authentication.name, sessionRef });
  }

  private async endOthers(session: MapSession): Promise<void> {
    if (!isIndexed(this.repository)) {
      throw new SessionOptionError(
        "Cannot end every session of a user: only the indexed repository can. Set repository to 'indexed'.",
      );
    }
    await this.repository.endOthersOf(session, SIGNED_OUT_REASON);
  }
}

/**
 * Answers `POST` to the path of the option `security.logout`: browsers are led to `successPath`, others get 204. Mirrors
 * `LogoutFilter` of Spring Security.
 */
@Injectable()
export class LogoutMiddleware implements NestMiddleware<IncomingMessage, ServerResponse> {
  constructor(
    private readonly logoutService: LogoutService,
    private readonly platform: HttpPlatform,
    private readonly csrfTokens: CsrfTokenService,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether `request` is one that {@link use} answers. */
  matches(request: IncomingMessage): boolean {
    if (request.method !== 'POST') return false;
    const [path = ''] = this.platform.urlOf(request).split('?', 1);
    return path === this.logoutOptions?.path || path === `${this.logoutOptions?.path}/`;
  }

  async use(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { successPath = '/', endsEverySession = false } = this.logoutOptions ?? {};
    try {
      await this.refuseForged(request);
      await this.logoutService.logout(request, { endsEverySession });
    } catch (error) {
      throw toHttpException(error);
    }
    const exchange = this.platform.exchange(request, response);
    const isPage = isBrowserNavigation(request);
    exchange.answer(isPage ? redirectAnswer(exchange, successPath) : { statusCode: 204 });
  }

  /** Fastify has not read the body yet, so that a form's token is not seen here: what the browser says counts, too. */
  private async refuseForged(request: IncomingMessage): Promise<void> {
    const { security } = this.options;
    if (!security || !security.csrf || security.csrf.isExempt(request)) return;
    if (request.headers['sec-fetch-site'] === 'same-origin') return;
    if (await this.csrfTokens.hasToken(request)) return;
    const places = `the header ${security.csrf.headerName}`;
    throw new CsrfException(this.csrfTokens.denialOf(request, places));
  }

  private get logoutOptions(): ResolvedLogoutOptions | undefined {
    const { security } = this.options;
    return security ? security.logout : undefined;
  }
}
