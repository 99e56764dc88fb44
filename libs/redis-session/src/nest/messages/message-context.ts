import { type ArgumentsHost, type ExecutionContext } from '@nestjs/common';
import { foreignProperty } from '../../lib/foreign-property.js';
import { SessionRequest } from '../../http/request/session-request.js';
import {
  type SecurityContext,
  SecurityContextHolder,
  type SecurityScope,
  runInScope,
} from '../../security/security-context.js';
import { rawRequestOf } from '../http-platform.js';

/** The scope of one message, as that of a request is: it is over with the answer. */
interface MessageScope extends SecurityScope {
  readonly response: { closed: boolean; readonly destroyed: boolean };
}

/** By the arguments of the call, which Nest hands to the guards and the interceptors of one message and no other. */
const messageScopes = foreignProperty<MessageScope>('security scope');

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
  const scope = { securityContext, response: { closed: false, destroyed: false } };
  messageScopes.set(call.getArgs(), scope);
}

/** @returns undefined when no guard has found out whose message it is */
export function messageContextOf(call: ArgumentsHost): SecurityContext | undefined {
  return messageScopes.get(call.getArgs())?.securityContext;
}

/** Runs `action`, such as the handler of a message, in the security context of its user. */
export function runInMessageContext<T>(call: ArgumentsHost, action: () => T): T {
  const scope = messageScopes.get(call.getArgs());
  return scope ? runInScope(scope, action) : action();
}

/** The message is answered: what still runs in its course, such as a connection that it has opened, is nobody's. */
export function endMessage(call: ArgumentsHost): void {
  const scope = messageScopes.get(call.getArgs());
  if (scope) scope.response.closed = true;
}

function requestOfGraphql(context: unknown): object | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const request =
    'req' in context ? context.req : 'request' in context ? context.request : undefined;
  return typeof request === 'object' && request !== null ? request : undefined;
}
