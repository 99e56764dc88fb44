import { SECURITY_CONTEXT_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { type RequestSetup } from '../../http/request/request-setup.js';
import { withEffectiveKind } from '../../security/remember-me.js';
import {
  EMPTY_SECURITY_CONTEXT,
  type SecurityContext,
  sessionSecurityContextRepository,
} from '../../security/security-context.js';
import {
  isCredentialStamp,
  sealCredentialStamp,
  authoritiesOf,
  defaultToAuthentication,
  type Authentication,
} from '../../security/authentication.js';
import { type MapSession, viewOf } from '../../session/map-session.js';
import { type ResolvedSecurityOptions } from '../options/security.options.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { forbidCaching } from '../../http/response/cache-control.js';

/** A context of somebody who is logged in. */
interface StoredContext extends SecurityContext {
  readonly authentication: Authentication;
}

/** Makes of what a session holds who the user is at this moment: the kind of his login, his principal looked up. */
export function securityContextLoader({
  clock,
  security,
}: ResolvedOptions): RequestSetup['loadSecurityContext'] {
  if (!security) return () => EMPTY_SECURITY_CONTEXT;
  const { fullAuthenticationSeconds } = security.rememberMe;
  const agesAfterSeconds = security.fullAuthenticationSeconds;
  return (session) => {
    const view = viewOf(session);
    const context = sessionSecurityContextRepository.loadContext(view);
    if (!context.authentication) return context;
    const full = { nowMs: clock(), agesAfterSeconds, fullAuthenticationSeconds };
    const authentication = withEffectiveKind(context.authentication, view, full);
    return security.loadPrincipal
      ? renewPrincipal(session, { ...context, authentication }, security)
      : { authentication };
  };
}

async function renewPrincipal(
  session: MapSession,
  { authentication, credentialStamp }: StoredContext,
  security: ResolvedSecurityOptions,
): Promise<SecurityContext> {
  const principal = await security.loadPrincipal?.(authentication.principal);
  if (principal === undefined || principal === null) return EMPTY_SECURITY_CONTEXT;
  const stamp = security.credentialStamp?.(principal);
  if (security.credentialStamp && credentialStamp === undefined) {
    // A login from before the option was set.
    const stored = sessionSecurityContextRepository.loadContext(viewOf(session));
    const sealed = { ...stored, credentialStamp: sealCredentialStamp(stamp) };
    sessionSecurityContextRepository.saveContext(session, sealed);
  } else if (security.credentialStamp && !isCredentialStamp(stamp, String(credentialStamp))) {
    await session.invalidate();
    return EMPTY_SECURITY_CONTEXT;
  }
  const authorities = renewedAuthorities(principal, security) ?? authentication.authorities;
  return { authentication: { ...authentication, principal, authorities } };
}

/** @returns undefined when the principal does not tell them */
function renewedAuthorities(
  principal: object,
  { toAuthentication }: ResolvedSecurityOptions,
): readonly string[] | undefined {
  if (toAuthentication !== defaultToAuthentication) {
    const authorities: unknown = toAuthentication(principal).authorities;
    if (Array.isArray(authorities)) return authorities as string[];
    throw new TypeError(
      'security.toAuthentication must return authorities for the user of security.loadPrincipal, too. Let loadPrincipal load the fields that it uses.',
    );
  }
  const { authorities, roles } = principal as Record<string, unknown>;
  const tells = Array.isArray(authorities) || Array.isArray(roles);
  return tells ? authoritiesOf(principal) : undefined;
}

/**
 * Keeps out of caches what a handler makes of the session of a logged-in user, when no guard has seen that session: an
 * open route with `load: 'lazy'`.
 */
export function lateReadListener({
  load,
  security,
}: ResolvedOptions): RequestSetup['onSessionRead'] {
  if (load === 'eager' || !security) return undefined;
  const { cacheControl } = security;
  return (session, response) => {
    if (session.attributeNames.includes(SECURITY_CONTEXT_ATTRIBUTE))
      forbidCaching(response, cacheControl);
  };
}
