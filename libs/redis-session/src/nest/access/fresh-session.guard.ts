import { type CanActivate, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { type SessionRequest } from '../../http/request/session-request.js';
import { type SecurityContext } from '../../security/security-context.js';
import { findRequest, findSessionRequest, replaceUser, oncePerHandler } from '../call-context.js';
import { toHttpException } from './security.exceptions.js';

/**
 * Reads the session of a request and who its user is from the store once more, whatever is known of them; changes are saved
 * before. A session that is gone is none of the request any more.
 */
async function refreshSession(sessionRequest: SessionRequest): Promise<SecurityContext> {
  await sessionRequest.load();
  const session = sessionRequest.currentSession;
  if (!session || session.isNew) return sessionRequest.loadSecurityContext();
  if (session.hasChanges) await sessionRequest.commit();
  if (!(await sessionRequest.reload())) sessionRequest.forgetSession();
  return sessionRequest.reloadSecurityContext();
}

/** Reads the session again where `@FreshSession()` asks for it. Lets everybody pass; runs before the guards that decide. */
export class FreshSessionGuard implements CanActivate {
  private readonly isDemanded = oncePerHandler((context) =>
    [context.getHandler(), context.getClass()].some((target) =>
      Reflect.hasMetadata(FRESH_SESSION, target),
    ),
  );

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return this.isDemanded(context) ? this.refresh(context) : true;
  }

  private async refresh(context: ExecutionContext): Promise<boolean> {
    const request = findRequest(context);
    const sessionRequest = findSessionRequest(context);
    if (!request || !sessionRequest) return true;
    const { authentication } = sessionRequest.securityContext;
    try {
      const fresh = await refreshSession(sessionRequest);
      replaceUser(request, authentication?.principal, fresh.authentication?.principal);
    } catch (error) {
      throw toHttpException(error);
    }
    return true;
  }
}

/** Metadata of a handler or a class. */
const FRESH_SESSION = 'redis-session:fresh-session';

/**
 * With the option `nearCache`: the session is asked of Redis once more, by a command of its own, before access is decided,
 * so that a logout on another replica counts at once. Without, every session is fresh. On a class or a handler.
 */
export const FreshSession = (): ClassDecorator & MethodDecorator =>
  SetMetadata(FRESH_SESSION, true);
