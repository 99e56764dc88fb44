import { type ArgumentsHost, type ExecutionContext } from '@nestjs/common';
import { foreignProperty } from '../../lib/foreign-property.js';
import { SessionRequest } from '../../http/request/session-request.js';
import {
  type SecurityContext,
  SecurityContextHolder,
  runInScope,
} from '../../security/security-context.js';
import { rawRequestOf } from '../platform/raw-messages.js';

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
export function setMessageContext(call: ArgumentsHost, context: SecurityContext): void {
  messageContexts.set(call.getArgs(), context);
}

/** @returns undefined when no guard has found out whose message it is */
export function messageContextOf(call: ArgumentsHost): SecurityContext | undefined {
  return messageContexts.get(call.getArgs());
}

/** Runs `action`, such as the handler of a message, in the security context of its user. */
export function runInMessageContext<T>(call: ArgumentsHost, action: () => T): T {
  const securityContext = messageContextOf(call);
  return securityContext ? runInScope({ securityContext }, action) : action();
}

function requestOfGraphql(context: unknown): object | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const request =
    'req' in context ? context.req : 'request' in context ? context.request : undefined;
  return typeof request === 'object' && request !== null ? request : undefined;
}
