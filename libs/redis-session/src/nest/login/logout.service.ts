import { Inject, Injectable } from '@nestjs/common';
import { EMPTY_SECURITY_CONTEXT } from '../../security/security-context.js';
import { HttpPlatform, rawRequestOf } from '../http-platform.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.module-definition.js';
import { SecurityEvents, sessionRefOf } from '../access/security-events.service.js';
import { SessionRequest } from '../../http/request/session-request.js';
import { SIGNED_OUT_REASON } from '../../session/session-registry.js';
import { type MapSession } from '../../session/map-session.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { SessionRepository, isIndexed } from '../../session/session-repository.js';

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
   * Deletes the session in Redis now, and those of further ids that the client has sent; the cookie is cleared with the response. Then the handlers of the option
   * `security.logout` run. Without a session only they run.
   *
   * @param request - of the platform
   * @throws SessionStoreError when Redis fails: the user is still logged in
   * @throws SessionOptionError when every session is to end and sessions are not indexed
   */
  async logout(request: object, { endsEverySession = false }: LogoutScope = {}): Promise<void> {
    const sessionRequest = SessionRequest.of(rawRequestOf(request));
    if (!sessionRequest) return;
    const { authentication } = await sessionRequest.loadSecurityContext();
    sessionRequest.failures.refuseIfAnonymous();
    const sessionRef = sessionRefOf(sessionRequest);
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
        "repository must be 'indexed' to end every session of a user, got another one.",
      );
    }
    await this.repository.endOthersOf(session, SIGNED_OUT_REASON);
  }
}
