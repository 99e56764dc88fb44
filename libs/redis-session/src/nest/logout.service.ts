import { Injectable } from '@nestjs/common';
import { SessionRequest } from '../http/session-request.js';
import { EMPTY_SECURITY_CONTEXT } from '../security/security-context.js';
import { rawRequestOf } from './platform/raw-messages.js';

/** Ends the session of a request. Mirrors `SecurityContextLogoutHandler` of Spring Security. */
@Injectable()
export class LogoutService {
  /**
   * Deletes the session in Redis now; the cookie is cleared with the response. Does nothing when there is none.
   *
   * @param request - of the platform
   * @throws SessionStoreError when Redis fails: the user is still logged in
   */
  async logout(request: object): Promise<void> {
    const sessionRequest = SessionRequest.of(rawRequestOf(request));
    const session = await sessionRequest?.getSession({ create: false });
    sessionRequest?.refuseIfUnavailable();
    if (!sessionRequest || !session) return;
    await session.invalidate();
    sessionRequest.securityContext = EMPTY_SECURITY_CONTEXT;
    Object.assign(request, { user: undefined });
  }
}
