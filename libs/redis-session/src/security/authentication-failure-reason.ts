/**
 * Why a user has to log in (again). Goes into the login page's `?reason=` and into problem details.
 *
 * - `unauthenticated`: nobody is logged in
 * - `insufficient`: the user is only remembered, and the page asks for a fresh login
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
