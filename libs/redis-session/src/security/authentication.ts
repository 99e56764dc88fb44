/**
 * How sure we are of the user: `full` = has proved it, not too long ago; `aged` = has proved it longer ago than
 * `security.fullAuthenticationSeconds`; `remember-me` = comes from a long-lived session. Sensitive pages ask the last two again.
 */
export type AuthenticationKind = 'full' | 'aged' | 'remember-me';

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

/**
 * Why a user has to log in (again). Goes into the login page's `?reason=` and into problem details.
 *
 * - `unauthenticated`: nobody is logged in
 * - `insufficient`: the user is remembered or has logged in too long ago, and the page asks for a fresh login
 * - `session-ended`: there was a session, and it has expired or was ended elsewhere
 * - `signed-out`: the session was ended elsewhere, by the user or by who administers; told once
 * - `maximum-sessions`: the session was ended by a newer login of the user, or the login was refused; told once
 * - `bad-credentials`: a login was refused; nobody is told what was wrong with it (OWASP authentication cheat sheet)
 */
export type AuthenticationFailureReason =
  | 'unauthenticated'
  | 'insufficient'
  | 'session-ended'
  | 'signed-out'
  | 'maximum-sessions'
  | 'bad-credentials';
