import { Inject, Injectable } from '@nestjs/common';
import { EMPTY_SECURITY_CONTEXT } from '../security/security-context.js';
import { HttpPlatform } from './platform/http-platform.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { RESOLVED_OPTIONS } from './redis-session.tokens.js';
import { SecurityEvents, sessionRefOf } from './security-events.service.js';
import { SessionRequest } from '../http/session-request.js';
import { rawRequestOf } from './platform/raw-messages.js';

/** Ends the session of a request. Mirrors `SecurityContextLogoutHandler` of Spring Security. */
@Injectable()
export class LogoutService {
  constructor(
    private readonly platform: HttpPlatform,
    private readonly events: SecurityEvents,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Deletes the session in Redis now; the cookie is cleared with the response. Then the handlers of the option
   * `security.logout` run. Without a session only they run.
   *
   * @param request - of the platform
   * @throws SessionStoreError when Redis fails: the user is still logged in
   */
  async logout(request: object): Promise<void> {
    const sessionRequest = SessionRequest.of(rawRequestOf(request));
    if (!sessionRequest) return;
    const { authentication } = await sessionRequest.loadSecurityContext();
    sessionRequest.refuseIfUnavailable();
    const sessionRef = sessionRefOf(sessionRequest);
    await sessionRequest.currentSession?.invalidate();
    sessionRequest.setSecurityContext(EMPTY_SECURITY_CONTEXT);
    Object.assign(request, { user: undefined });
    const { security } = this.options;
    const exchange = this.platform.exchange(request, sessionRequest.response);
    for (const handler of (security && security.logout?.handlers) || []) {
      await handler.logout(exchange, authentication);
    }
    if (authentication) this.events.publish('logout', { name: authentication.name, sessionRef });
  }
}
