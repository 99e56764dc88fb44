import { SessionRequest } from '../../http/request/session-request.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { rawRequestOf } from '../platform/raw-messages.js';

/**
 * The session of a request that logs in.
 *
 * @param request - of the platform
 * @throws SessionOptionError when it has none
 */
export function sessionRequestForLogin(request: object): SessionRequest {
  const sessionRequest = SessionRequest.of(rawRequestOf(request));
  if (sessionRequest) return sessionRequest;
  throw new SessionOptionError(
    'Cannot log in: the route is excluded from sessions. Take it out of the option `exclude`.',
  );
}
