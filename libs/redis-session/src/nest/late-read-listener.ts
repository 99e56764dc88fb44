import { forbidCaching } from '../http/cache-control.js';
import { type SessionReadListener } from '../http/session-request-context.js';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../security/session-security-context-repository.js';
import { type ResolvedOptions } from './redis-session.options.js';

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
