import { type ExecutionContext } from '@nestjs/common';
import { sessionSecurityContextRepository } from '../security/session-security-context-repository.js';
import { EMPTY_SECURITY_CONTEXT, type SecurityContext } from '../security/security-context.js';
import { findSessionRequest } from './current-session-request.js';

/** The security context of the request; with `load: 'lazy'` this reads the session. */
export async function securityContextOf(context: ExecutionContext): Promise<SecurityContext> {
  const sessionRequest = findSessionRequest(context);
  if (!sessionRequest) return EMPTY_SECURITY_CONTEXT;
  if (!sessionRequest.securityContext.authentication) {
    const session = await sessionRequest.getSession({ create: false });
    sessionRequest.securityContext = sessionSecurityContextRepository.loadContext(session);
  }
  return sessionRequest.securityContext;
}
