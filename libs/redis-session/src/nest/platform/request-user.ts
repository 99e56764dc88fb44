import { type SecurityContext } from '../../security/security-context.js';

/** Sets `request.user`, where passport, guards and handlers look for the user; leaves it alone for anonymous visitors. */
export function showUser(request: object, { authentication }: SecurityContext): void {
  if (authentication) Object.assign(request, { user: authentication.principal });
}
