import { type SessionView } from '../session/session-view.js';
import { type Session } from '../session/session.js';
import { EMPTY_SECURITY_CONTEXT, type SecurityContext } from './security-context.js';

/** The session attribute that holds the {@link SecurityContext}. */
export const SECURITY_CONTEXT_ATTRIBUTE = 'SECURITY_CONTEXT';

/** Keeps the security context beyond the request. Mirrors `SecurityContextRepository` of Spring Security. */
export interface SecurityContextRepository {
  /** @returns the empty context when none is stored, or what is stored is none */
  loadContext(session: SessionView): SecurityContext;
  /** The empty context removes what is stored. */
  saveContext(session: Session, context: SecurityContext): void;
}

/** Keeps it as an attribute of the session. Mirrors `HttpSessionSecurityContextRepository` of Spring Security. */
export const sessionSecurityContextRepository: SecurityContextRepository = {
  loadContext(session) {
    const stored: unknown = session.getAttribute(SECURITY_CONTEXT_ATTRIBUTE);
    return isSecurityContext(stored) ? stored : EMPTY_SECURITY_CONTEXT;
  },

  saveContext(session, context) {
    session.setAttribute(
      SECURITY_CONTEXT_ATTRIBUTE,
      context.authentication ? { authentication: context.authentication } : undefined,
    );
  },
};

function isSecurityContext(stored: unknown): stored is SecurityContext {
  if (typeof stored !== 'object' || stored === null || !('authentication' in stored)) return false;
  const { authentication } = stored;
  return (
    typeof authentication === 'object' &&
    authentication !== null &&
    'name' in authentication &&
    typeof authentication.name === 'string' &&
    'authorities' in authentication &&
    Array.isArray(authentication.authorities)
  );
}
