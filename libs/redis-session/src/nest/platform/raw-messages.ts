import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type SecurityContext } from '../../security/security-context.js';

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
