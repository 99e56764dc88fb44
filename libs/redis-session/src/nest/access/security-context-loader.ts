import { SECURITY_CONTEXT_ATTRIBUTE } from '../../session/attribute-names.js';
import {
  type SecurityContextLoader,
  type SessionReadListener,
} from '../../http/request/session-request-context.js';
import { withEffectiveKind } from '../../security/remember-me.js';
import {
  EMPTY_SECURITY_CONTEXT,
  sessionSecurityContextRepository,
} from '../../security/security-context.js';
import { viewOf } from '../../session/session-view.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { forbidCaching } from '../../http/answers/cache-control.js';

/** Makes of what a session holds who the user is at this moment: the kind of his login, his principal looked up. */
export function securityContextLoader({ clock, security }: ResolvedOptions): SecurityContextLoader {
  if (!security) return () => EMPTY_SECURITY_CONTEXT;
  const { loadPrincipal } = security;
  const { fullAuthenticationSeconds } = security.rememberMe;
  return (session) => {
    const view = viewOf(session);
    const context = sessionSecurityContextRepository.loadContext(view);
    if (!context.authentication) return context;
    const full = { nowMs: clock(), fullAuthenticationSeconds };
    const authentication = withEffectiveKind(context.authentication, view, full);
    if (!loadPrincipal) return { authentication };
    return Promise.resolve(loadPrincipal(authentication.principal)).then((principal) =>
      principal === undefined || principal === null
        ? EMPTY_SECURITY_CONTEXT
        : { authentication: { ...authentication, principal } },
    );
  };
}

/**
 * Keeps out of caches what a handler makes of the session of a logged-in user, when no guard has seen that session: an
 * open route with `load: 'lazy'`.
 *
 * @returns undefined when the guard sees every session
 */
export function lateReadListener({
  load,
  security,
}: Pick<ResolvedOptions, 'load' | 'security'>): SessionReadListener | undefined {
  if (load === 'eager' || !security) return undefined;
  const { cacheControl } = security;
  return (session, response) => {
    if (session.attributeNames.includes(SECURITY_CONTEXT_ATTRIBUTE)) {
      forbidCaching(response, cacheControl);
    }
  };
}
