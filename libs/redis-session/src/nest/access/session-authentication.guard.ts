import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { forbidCaching } from '../../http/response/cache-control.js';
import { type RequestSetup } from '../../http/request/request-setup.js';
import { type SessionRequest } from '../../http/request/session-request.js';
import { type AuthorizationOutcome, authorize } from '../../security/authorization.js';
import { type SecurityContext, SecurityContextHolder } from '../../security/security-context.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { type RouteRule, type HandlerClass, routeRulesOf } from './authorization.decorators.js';
import { isLoginRoute } from '../login/login.guard.js';
import {
  beginMessageStep,
  findRequest,
  findSessionRequest,
  isMessage,
  messageContextOf,
  securityContextOf,
  setMessageContext,
  showUser,
  oncePerHandler,
} from '../call-context.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS, REQUEST_SETUP } from '../redis-session.module-definition.js';
import { type ResolvedSecurityOptions } from '../options/security.options.js';
import {
  AccessDeniedException,
  AuthenticationException,
  InvalidSessionException,
  SessionEndedException,
} from './security.exceptions.js';
import { OpenSockets } from '../messages/open-sockets.js';
import { MAXIMUM_SESSIONS_REASON } from '../../session/session-event.js';
import { isIndexed } from '../../session/session-repository.js';
import {
  type AuthenticationFailureReason,
  agedAuthentication,
} from '../../security/authentication.js';

const PUBLIC: readonly RouteRule[] = [{ kind: 'public' }];
const AUTHENTICATED: readonly RouteRule[] = [{ kind: 'authenticated' }];

/**
 * Makes the stored security context that of the request, sets `request.user`, and enforces what the decorators of routes,
 * resolvers and messages ask for. Mirrors `SecurityContextHolderFilter` and `AuthorizationFilter` of Spring Security.
 */
@Injectable()
export class SessionAuthenticationGuard implements CanActivate {
  private readonly rulesOf = oncePerHandler((context) => this.reflectRules(context));
  private readonly isLazy: boolean;
  private readonly security: ResolvedSecurityOptions;

  /** @throws SessionOptionError when the option `security` is false */
  constructor(
    @Inject(RESOLVED_OPTIONS) { load, security }: ResolvedOptions,
    @Inject(REQUEST_SETUP) private readonly setup: RequestSetup,
    private readonly sockets: OpenSockets,
  ) {
    if (!security) {
      throw new SessionOptionError(
        'Cannot use @SecuredMessages(): the option security is false. Leave out security: false.',
      );
    }
    this.isLazy = load === 'lazy';
    this.security = security;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rules = this.rulesOf(context);
    if (isMessage(context)) return this.admitMessage(context, rules);
    const isOpen = rules === PUBLIC;
    if (isOpen && this.isLazy) return true;
    const loaded = securityContextOf(context);
    if (loaded instanceof Promise) {
      return loaded.then((securityContext) => this.admit(context, rules, securityContext));
    }
    return this.admit(context, rules, loaded);
  }

  /** No middleware runs before a message: whose it is, is found out here, once even if the guard is bound twice. */
  private async admitMessage(
    context: ExecutionContext,
    rules: readonly RouteRule[],
  ): Promise<boolean> {
    const securityContext = messageContextOf(context) ?? (await this.loadMessageContext(context));
    setMessageContext(context, securityContext);
    const step = beginMessageStep(securityContext);
    try {
      return await step.run(() => this.admit(context, rules, securityContext));
    } finally {
      step.end();
    }
  }

  private async loadMessageContext(context: ExecutionContext): Promise<SecurityContext> {
    if (context.getType() === 'ws') return this.sockets.senderOf(context.switchToWs().getClient());
    const { fullAuthenticationSeconds, rpcAuthentication } = this.security;
    const sender = await rpcAuthentication?.(context);
    if (!sender) return SecurityContextHolder.getContext();
    const nowMs = this.setup.clock();
    return { authentication: agedAuthentication(sender, nowMs, fullAuthenticationSeconds) };
  }

  private admit(
    context: ExecutionContext,
    rules: readonly RouteRule[],
    securityContext: SecurityContext,
  ): boolean | Promise<boolean> {
    const request = findRequest(context);
    if (request) showUser(request, securityContext);
    const sessionRequest = findSessionRequest(context);
    if (sessionRequest) this.inspect(sessionRequest, context, securityContext);
    return rules === PUBLIC ? true : this.enforce(context, rules, securityContext);
  }

  private inspect(
    sessionRequest: SessionRequest,
    context: ExecutionContext,
    { authentication }: SecurityContext,
  ): void {
    const { cacheControl, invalidSessionPath } = this.security;
    if (authentication) forbidCaching(sessionRequest.response, cacheControl);
    const isEndTold = invalidSessionPath !== undefined && sessionRequest.requested.isInvalid;
    if (isEndTold && !isLoginRoute(context)) {
      throw new InvalidSessionException('The session has ended. Log in again.');
    }
  }

  private enforce(
    context: ExecutionContext,
    rules: readonly RouteRule[],
    { authentication }: SecurityContext,
  ): boolean | Promise<boolean> {
    const reachableAuthorities = this.security.roleHierarchy;
    const request = { authentication, resource: context, reachableAuthorities };
    const outcome = authorize(rules, request);
    return outcome === 'granted' || this.refuseUnlessGranted(context, outcome);
  }

  private async refuseUnlessGranted(
    context: ExecutionContext,
    deciding: AuthorizationOutcome | Promise<AuthorizationOutcome>,
  ): Promise<true> {
    const outcome = await deciding;
    if (outcome === 'granted') return true;
    if (outcome === 'denied') {
      const target = `${context.getClass().name}.${context.getHandler().name}`;
      throw new AccessDeniedException('You may not use this resource.', target);
    }
    await this.refuseEnded(context);
    throw new AuthenticationException('Log in to use this resource.');
  }

  /** @throws SessionEndedException when somebody else has ended the session of the client, once */
  private async refuseEnded(context: ExecutionContext): Promise<void> {
    const sessionRequest = findSessionRequest(context);
    const requested = sessionRequest?.requested;
    if (!requested?.isInvalid) return;
    requested.endReason ??= takeEndReason(this.setup.repository, requested.ids);
    const reason = await requested.endReason;
    if (reason !== undefined) throw new SessionEndedException(reason);
  }

  private reflectRules(context: ExecutionContext): readonly RouteRule[] {
    const isLogin = isLoginRoute(context);
    const [handler, target] = [context.getHandler(), context.getClass<HandlerClass>()];
    const annotated = routeRulesOf({ handler, target, ignoresClasses: isLogin });
    const isOpen = this.security.authorization === 'annotated' || isLogin;
    const rules = annotated.length > 0 ? annotated : isOpen ? PUBLIC : AUTHENTICATED;
    return rules.every(({ kind }) => kind === 'public') ? PUBLIC : rules;
  }
}

/** Why somebody else has ended one of the sessions `ids`; told once, and only if `repository` knows. */
async function takeEndReason(
  repository: object,
  ids: readonly string[],
): Promise<AuthenticationFailureReason | undefined> {
  if (!isIndexed(repository)) return undefined;
  for (const id of ids) {
    const reason = await repository.takeEndReason(id);
    if (reason === undefined) continue;
    return reason === MAXIMUM_SESSIONS_REASON ? 'maximum-sessions' : 'signed-out';
  }
  return undefined;
}
