import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type Reflector } from '@nestjs/core';
import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';
import { authorize } from '../security/authorization.js';
import { type SecurityContext } from '../security/security-context.js';
import { ROUTE_RULES, type RouteRule } from './authorization.decorators.js';
import {
  findRequest,
  findSessionRequest,
  securityContextOf,
  setClientContext,
} from './message-context.js';
import { type ResolvedSecurityOptions } from './security.options.js';
import {
  AccessDeniedException,
  AuthenticationException,
  InvalidSessionException,
  SessionEndedException,
} from './security.exceptions.js';
import { type WebSocketSessions } from './websocket-sessions.js';

const PUBLIC: readonly RouteRule[] = [{ kind: 'public' }];
const AUTHENTICATED: readonly RouteRule[] = [{ kind: 'authenticated' }];

/** What the guard works with. */
export interface SessionAuthenticationGuardInit {
  /** Why somebody else has ended a session, told once; undefined = nobody can tell. */
  readonly endReasonOf:
    ((id: string) => Promise<AuthenticationFailureReason | undefined>) | undefined;
  readonly isLazy: boolean;
  readonly reflector: Reflector;
  readonly security: ResolvedSecurityOptions;
  readonly webSocketSessions: WebSocketSessions;
}

/**
 * Makes the stored security context that of the request, sets `request.user`, and enforces what the route's decorators
 * ask for. Serves HTTP routes, GraphQL resolvers, WebSocket and microservice messages.
 *
 * Mirrors `SecurityContextHolderFilter` and `AuthorizationFilter` of Spring Security.
 */
export class SessionAuthenticationGuard implements CanActivate {
  private readonly rulesByClass = new WeakMap<object, Map<unknown, readonly RouteRule[]>>();

  constructor(private readonly init: SessionAuthenticationGuardInit) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rules = this.rulesOf(context);
    if (context.getType() === 'ws') return this.admitClient(context, rules);
    const isOpen = rules === PUBLIC;
    if (isOpen && this.init.isLazy) return true;
    const loaded = securityContextOf(context);
    if (loaded instanceof Promise) {
      return loaded.then((securityContext) => this.admit(context, rules, securityContext));
    }
    return this.admit(context, rules, loaded);
  }

  /** The handshake of a socket passed no middleware: its session is read with each message. */
  private async admitClient(
    context: ExecutionContext,
    rules: readonly RouteRule[],
  ): Promise<boolean> {
    const client = context.switchToWs().getClient<object>();
    const securityContext = await this.init.webSocketSessions.load(client);
    setClientContext(client, securityContext);
    return this.admit(context, rules, securityContext);
  }

  private admit(
    context: ExecutionContext,
    rules: readonly RouteRule[],
    securityContext: SecurityContext,
  ): boolean | Promise<boolean> {
    const { authentication } = securityContext;
    const request = findRequest(context);
    if (authentication && request) Object.assign(request, { user: authentication.principal });
    const { invalidSessionPath } = this.init.security;
    if (
      invalidSessionPath !== undefined &&
      findSessionRequest(context)?.isRequestedSessionInvalid
    ) {
      throw new InvalidSessionException('The session has ended.');
    }
    return rules === PUBLIC ? true : this.enforce(context, rules, securityContext);
  }

  private async enforce(
    context: ExecutionContext,
    rules: readonly RouteRule[],
    { authentication }: SecurityContext,
  ): Promise<boolean> {
    const reachableAuthorities = this.init.security.roleHierarchy;
    const outcome = await authorize(rules, {
      authentication,
      resource: context,
      reachableAuthorities,
    });
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
    if (!sessionRequest?.isRequestedSessionInvalid) return;
    for (const id of sessionRequest.requested.ids) {
      const reason = await this.init.endReasonOf?.(id);
      if (reason !== undefined) throw new SessionEndedException(reason);
    }
  }

  /** A handler may be inherited by several classes, each with rules of its own. */
  private rulesOf(context: ExecutionContext): readonly RouteRule[] {
    const handler = context.getHandler();
    const target = context.getClass();
    const ofClass = this.rulesByClass.get(target) ?? new Map<unknown, readonly RouteRule[]>();
    this.rulesByClass.set(target, ofClass);
    let rules = ofClass.get(handler);
    if (!rules) {
      rules = this.reflectRules([handler, target]);
      ofClass.set(handler, rules);
    }
    return rules;
  }

  private reflectRules(
    targets: Parameters<Reflector['getAllAndOverride']>[1],
  ): readonly RouteRule[] {
    const { reflector, security } = this.init;
    type Rules = readonly RouteRule[] | undefined;
    const annotated = reflector.getAllAndOverride<Rules>(ROUTE_RULES, targets);
    const rules = annotated ?? (security.authorization === 'all' ? AUTHENTICATED : PUBLIC);
    return rules.every(({ kind }) => kind === 'public') ? PUBLIC : rules;
  }
}
