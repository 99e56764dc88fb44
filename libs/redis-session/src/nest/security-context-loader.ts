import { type SecurityContextLoader } from '../http/session-request-context.js';
import { withEffectiveKind } from '../security/remember-me.js';
import { EMPTY_SECURITY_CONTEXT } from '../security/security-context.js';
import { sessionSecurityContextRepository } from '../security/session-security-context-repository.js';
import { viewOf } from '../session/session-view.js';
import { type ResolvedOptions } from './redis-session.options.js';

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
