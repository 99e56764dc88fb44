/**
 * How sure we are of the user: `full` = has just proved it or has since; `remember-me` = comes from a long-lived
 * session, sensitive pages ask again.
 */
export type AuthenticationKind = 'full' | 'remember-me';

/**
 * Who the user is and what he may do. Plain data: it is stored in the session.
 *
 * Mirrors `Authentication` of Spring Security; credentials are no part of it.
 */
export interface Authentication {
  /** The user's unique name: sessions are found by it. */
  readonly name: string;
  /** What `request.user` and `@CurrentUser()` give, or only the id of it (see `loadPrincipal`). */
  readonly principal: unknown;
  /** Such as `ADMIN` or `orders:write`. */
  readonly authorities: readonly string[];
  readonly kind: AuthenticationKind;
  /** Epoch ms of the login. */
  readonly authenticatedAt: number;
}
