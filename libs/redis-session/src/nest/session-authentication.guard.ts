import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type SecurityContext } from '../security/security-context.js';
import { sessionSecurityContextRepository } from '../security/session-security-context-repository.js';
import { ACCESS_RULE, type AccessRule } from './authorization.decorators.js';
import { findSessionRequest } from './current-session-request.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { RESOLVED_OPTIONS } from './redis-session.tokens.js';
import { AccessDeniedException, AuthenticationException } from './security.exceptions.js';
import { securityContextOf } from './security-context-of.js';

const NOBODY_NEEDED: AccessRule = { isPublic: true, authorities: [] };
const SOMEBODY_NEEDED: AccessRule = { isPublic: false, authorities: [] };

/**
 * Makes the stored security context that of the request, sets `request.user`, and enforces what the route's decorators
 * ask for.
 *
 * Mirrors `SecurityContextHolderFilter` and `AuthorizationFilter` of Spring Security.
 */
@Injectable()
export class SessionAuthenticationGuard implements CanActivate {
  private readonly rules = new WeakMap<object, AccessRule>();

  constructor(
    private readonly reflector: Reflector,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const rule = this.ruleOf(context);
    const sessionRequest = findSessionRequest(context);
    const session = sessionRequest?.currentSession;
    if (session && sessionRequest) {
      sessionRequest.securityContext = sessionSecurityContextRepository.loadContext(session);
    } else if (!rule.isPublic && this.options.load === 'lazy') {
      return securityContextOf(context).then((loaded) => admit(context, rule, loaded));
    }
    return admit(context, rule, sessionRequest?.securityContext);
  }

  private ruleOf(context: ExecutionContext): AccessRule {
    const handler = context.getHandler();
    let rule = this.rules.get(handler);
    if (!rule) {
      const { security } = this.options;
      const unannotated =
        security && security.authorization === 'all' ? SOMEBODY_NEEDED : NOBODY_NEEDED;
      const targets = [handler, context.getClass()];
      rule =
        this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, targets) ??
        unannotated;
      this.rules.set(handler, rule);
    }
    return rule;
  }
}

function admit(
  context: ExecutionContext,
  rule: AccessRule,
  { authentication }: SecurityContext = { authentication: undefined },
): true {
  if (authentication) {
    Object.assign(context.switchToHttp().getRequest<object>(), { user: authentication.principal });
  }
  if (rule.isPublic) return true;
  if (!authentication) throw new AuthenticationException('Log in to use this resource.');
  const missing = rule.authorities.some(
    (authority) => !authentication.authorities.includes(authority),
  );
  if (missing) throw new AccessDeniedException('You may not use this resource.');
  return true;
}
