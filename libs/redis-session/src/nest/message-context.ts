import { type ExecutionContext } from '@nestjs/common';
import { SessionRequest } from '../http/session-request.js';
import { EMPTY_SECURITY_CONTEXT, type SecurityContext } from '../security/security-context.js';
import { SecurityContextHolder } from '../security/security-context-holder.js';
import { rawRequestOf } from './platform/raw-messages.js';

const clientContexts = new WeakMap<object, SecurityContext>();

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
  const sessionRequest = findSessionRequest(context);
  if (sessionRequest) return sessionRequest.loadSecurityContext();
  if (context.getType() !== 'ws') return SecurityContextHolder.getContext();
  return clientContexts.get(context.switchToWs().getClient<object>()) ?? EMPTY_SECURITY_CONTEXT;
}

/** The messages of a WebSocket client belong to this user from now on. */
export function setClientContext(client: object, context: SecurityContext): void {
  clientContexts.set(client, context);
}

function requestOfGraphql(context: unknown): object | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const request =
    'req' in context ? context.req : 'request' in context ? context.request : undefined;
  return typeof request === 'object' && request !== null ? request : undefined;
}
