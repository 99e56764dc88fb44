import { type ArgumentsHost, type ExecutionContext } from '@nestjs/common';
import { foreignProperty } from '../lib/foreign-property.js';
import { SessionRequest } from '../http/request/session-request.js';
import {
  type SecurityContext,
  SecurityContextHolder,
  runInScope,
} from '../security/security-context.js';
import { type IncomingMessage, type ServerResponse } from 'node:http';

/** By the arguments of the call, which Nest hands to the guards and the interceptors of one message and no other. */
const messageContexts = foreignProperty<SecurityContext>('security context');

/**
 * The platform's request of an HTTP route or a GraphQL resolver.
 *
 * @returns undefined for WebSocket and microservice messages, and for a GraphQL context without `req`
 */
export function findRequest(context: ExecutionContext): object | undefined {
  switch (context.getType<string>()) {
    case 'http':
      return context.switchToHttp().getRequest<object>();
    case 'graphql':
      return requestOfGraphql(context.getArgByIndex<unknown>(2));
    default:
      return undefined;
  }
}

/** @returns undefined outside HTTP and GraphQL, and on a route that is excluded from sessions */
export function findSessionRequest(context: ExecutionContext): SessionRequest | undefined {
  const request = findRequest(context);
  return request && SessionRequest.of(rawRequestOf(request));
}

/** The security context of the request or message; with `load: 'lazy'` this reads the session. */
export function securityContextOf(
  context: ExecutionContext,
): SecurityContext | Promise<SecurityContext> {
  return findSessionRequest(context)?.loadSecurityContext() ?? SecurityContextHolder.getContext();
}

/** Whether `context` is of a WebSocket or microservice message, before which no middleware runs. */
export function isMessage(context: ArgumentsHost): boolean {
  return context.getType() === 'ws' || context.getType() === 'rpc';
}

/** The message of this call, and no other, is one of this user. */
export function setMessageContext(call: ArgumentsHost, securityContext: SecurityContext): void {
  messageContexts.set(call.getArgs(), securityContext);
}

/** @returns undefined when no guard has found out whose message it is */
export function messageContextOf(call: ArgumentsHost): SecurityContext | undefined {
  return messageContexts.get(call.getArgs());
}

/**
 * Begins a step of a message of this user, its guard or its handler. Whoever begins it must end it, also when it fails: what
 * still runs in its course, such as a connection that it has opened, is nobody's from then on.
 */
export function beginMessageStep(securityContext: SecurityContext) {
  const response = { closed: false, destroyed: false };
  const scope = { securityContext, response };
  return {
    run: <T>(action: () => T) => runInScope(scope, action),
    end: () => {
      response.closed = true;
    },
  };
}

function requestOfGraphql(context: unknown): object | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const request =
    'req' in context ? context.req : 'request' in context ? context.request : undefined;
  return typeof request === 'object' && request !== null ? request : undefined;
}

/** @param request - of Express, of Fastify, or raw. @returns that of node:http */
export function rawRequestOf(request: object): IncomingMessage {
  return ('raw' in request ? request.raw : request) as IncomingMessage;
}

/** @param response - of Express, of Fastify, or raw. @returns that of node:http */
export function rawResponseOf(response: object): ServerResponse {
  return ('raw' in response ? response.raw : response) as ServerResponse;
}

/** Sets `request.user`, where passport, guards and handlers look for the user; leaves it alone for anonymous visitors. */
export function showUser(request: object, { authentication }: SecurityContext): void {
  if (authentication) (request as { user?: unknown }).user = authentication.principal;
}

/** Replaces `request.user` if it is still `former`, which nobody but us has put there. */
export function replaceUser(request: object, former: unknown, user: unknown): void {
  if (former === undefined) return;
  const { user: shown } = request as { readonly user?: unknown };
  if (shown === former) Object.assign(request, { user });
}

/**
 * What `compute` makes of a route or message handler, computed once. A handler may be inherited by several classes, each
 * with decorators of its own.
 */
export function oncePerHandler<T>(
  compute: (context: ExecutionContext) => T,
): (context: ExecutionContext) => T {
  const byClass = new WeakMap<object, Map<unknown, T>>();
  return (context) => {
    const [target, handler] = [context.getClass(), context.getHandler()];
    let ofClass = byClass.get(target);
    if (!ofClass) {
      ofClass = new Map<unknown, T>();
      byClass.set(target, ofClass);
    }
    const known = ofClass.get(handler);
    if (known !== undefined || ofClass.has(handler)) return known as T;
    const computed = compute(context);
    ofClass.set(handler, computed);
    return computed;
  };
}
