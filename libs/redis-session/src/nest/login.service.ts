import { Inject, Injectable } from '@nestjs/common';
import { SessionRequest } from '../http/session-request.js';
import { type Authentication } from '../security/authentication.js';
import { sessionSecurityContextRepository } from '../security/session-security-context-repository.js';
import { SessionOptionError } from '../session/session.errors.js';
import { rawRequestOf } from './platform/raw-messages.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { RESOLVED_OPTIONS } from './redis-session.tokens.js';

/** Logs a user in whose identity has been proved, by whatever means. `LoginGuard` uses it. */
@Injectable()
export class LoginService {
  constructor(@Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions) {}

  /**
   * Gives the session a new id and stores the security context in it. Both are saved before the response leaves.
   *
   * @param request - of the platform
   * @param user - as the application knows it; credentials are taken off
   */
  async login(request: object, user: object): Promise<Authentication> {
    const sessionRequest = SessionRequest.of(rawRequestOf(request));
    if (!sessionRequest) {
      throw new SessionOptionError(
        'Cannot log in: the route is excluded from sessions. Take it out of the option `exclude`.',
      );
    }
    const session = await sessionRequest.getSession();
    if (!session.isNew) session.changeSessionId();
    const authentication = toAuthentication(user, this.options.clock());
    sessionRequest.securityContext = { authentication };
    sessionSecurityContextRepository.saveContext(session, sessionRequest.securityContext);
    Object.assign(request, { user: authentication.principal });
    return authentication;
  }
}

const CREDENTIALS = ['password', 'passwordHash', 'hash', 'salt', 'credentials', 'secret'];

function toAuthentication(user: object, nowMs: number): Authentication {
  const entries = Object.entries(user).filter(([key]) => !CREDENTIALS.includes(key));
  const principal = Object.fromEntries(entries) as Record<string, unknown>;
  const name = principal['username'] ?? principal['name'] ?? principal['email'] ?? principal['id'];
  const authorities = principal['authorities'] ?? principal['roles'] ?? [];
  return {
    name: String(name),
    principal,
    authorities: Array.isArray(authorities) ? authorities.map(String) : [],
    kind: 'full',
    authenticatedAt: nowMs,
  };
}
