import { type SecurityContext } from '../../security/security-context.js';

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
