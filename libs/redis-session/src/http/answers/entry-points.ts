import { type AuthenticationFailureReason } from '../../security/authentication.js';
import {
  type ExchangeMatcher,
  type HttpExchange,
  redirectAnswer,
  withQuery,
} from './http-exchange.js';
import { type ProblemAnswer, problemAnswer } from './http-answer.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { isBrowserNavigation, isScriptRequest } from './request-matchers.js';
import { CONTINUE_PARAMETER, continueKeyOf } from '../saved-requests/request-cache.js';
import { toSafeReturnPath } from '../saved-requests/safe-return-path.js';

/**
 * Tells a client that needs a login how to log in, once the request is saved, and only when nothing of the response has left.
 * Mirrors `AuthenticationEntryPoint` of Spring Security.
 */
export interface AuthenticationEntryPoint {
  /** Must answer at once, and exactly once. @param reason - undefined = `unauthenticated` */
  commence(exchange: HttpExchange, reason?: AuthenticationFailureReason): void;
}

/**
 * Asks for HTTP Basic credentials (RFC 7617). Scripts of a page get a 401 without the challenge, as the browser would
 * open its password dialog for it. Mirrors `BasicAuthenticationEntryPoint` of Spring Security.
 */
export class BasicEntryPoint implements AuthenticationEntryPoint {
  private readonly challenge: string;

  /**
   * @param realm - what the dialog shows: printable ASCII without `"` and `\`
   * @throws SessionOptionError for other characters
   */
  constructor(realm: string) {
    if (!/^[ -!#-[\]-~]+$/.test(realm)) {
      throw new SessionOptionError(
        `realm must be printable ASCII without quotes and backslashes, got ${JSON.stringify(realm)}.`,
      );
    }
    this.challenge = `Basic realm="${realm}", charset="UTF-8"`;
  }

  commence(exchange: HttpExchange, reason?: AuthenticationFailureReason): void {
    const answer = unauthorizedProblem(reason);
    const challenge = isScriptRequest(exchange.request)
      ? {}
      : { 'WWW-Authenticate': this.challenge };
    exchange.answer({ ...answer, headers: { ...answer.headers, ...challenge } });
  }
}

/**
 * Sends browsers to the login page, and answers 401 to everybody else: programs, scripts, event streams. And to browsers
 * that ask for a login page that is itself protected: they would be sent there again and again.
 *
 * @param loginPage - undefined = 401 for browsers too
 * @throws SessionOptionError when it is no URL
 */
export function defaultEntryPoint(loginPage?: string): AuthenticationEntryPoint {
  const problem = new ProblemEntryPoint();
  if (loginPage === undefined) return problem;
  const [loginPath] = loginPage.split(/[?#]/, 1);
  const canBeSent: ExchangeMatcher = ({ request, url }) =>
    isBrowserNavigation(request) &&
    (request.method === 'POST' || url.split('?', 1)[0] !== loginPath);
  return new DelegatingEntryPoint([[canBeSent, new LoginPageEntryPoint(loginPage)]], problem);
}

/** Leaves the answer to the first entry point whose matcher says yes. Mirrors `DelegatingAuthenticationEntryPoint`. */
export class DelegatingEntryPoint implements AuthenticationEntryPoint {
  constructor(
    private readonly entryPoints: readonly (readonly [ExchangeMatcher, AuthenticationEntryPoint])[],
    private readonly defaultEntryPoint: AuthenticationEntryPoint,
  ) {}

  commence(exchange: HttpExchange, reason?: AuthenticationFailureReason): void {
    const match = this.entryPoints.find(([matches]) => matches(exchange));
    (match?.[1] ?? this.defaultEntryPoint).commence(exchange, reason);
  }
}

/**
 * Sends the client to the login page: `Location: /login?reason=insufficient&continue=Xy3_9aQz`. `reason` is left out for who
 * never was logged in, `continue` when the request was not saved. Mirrors `LoginUrlAuthenticationEntryPoint`.
 */
export class LoginPageEntryPoint implements AuthenticationEntryPoint {
  /**
   * @param loginPage - a path of this site, with query and fragment if need be, or an absolute http(s) URL
   * @throws SessionOptionError for anything else
   */
  constructor(private readonly loginPage: string) {
    if (!isPath(loginPage) && !isAbsolute(loginPage)) {
      throw new SessionOptionError(
        `loginPage must be a path that starts with one "/", or an http(s) URL, got ${JSON.stringify(loginPage)}.`,
      );
    }
  }

  commence(exchange: HttpExchange, reason?: AuthenticationFailureReason): void {
    const location = withQuery(this.loginPage, {
      reason: reason === 'unauthenticated' ? undefined : reason,
      [CONTINUE_PARAMETER]: continueKeyOf(exchange),
    });
    exchange.answer(redirectAnswer(exchange, location));
  }
}

function isPath(url: string): boolean {
  const [path = ''] = url.split('#', 1);
  return /^[!-~]*$/.test(url) && toSafeReturnPath(path) !== undefined;
}

function isAbsolute(url: string): boolean {
  return /^https?:\/\/[^\s\\]+$/i.test(url) && URL.canParse(url);
}

const DETAILS: Readonly<Record<AuthenticationFailureReason, string>> = {
  unauthenticated: 'Log in to use this resource.',
  insufficient: 'Log in again to use this resource.',
  'session-ended': 'The session has ended. Log in again.',
  'signed-out': 'You were signed out elsewhere. Log in again.',
  'maximum-sessions':
    'Your account is in use elsewhere, and has as many sessions as allowed. Log out there, then log in again.',
  'bad-credentials': 'The login failed. Try again.',
};

/**
 * Answers 401 with problem details, for clients that are programs. Without `WWW-Authenticate`: a session has no scheme
 * of RFC 9110, and browsers must not ask for a password on their own.
 */
export class ProblemEntryPoint implements AuthenticationEntryPoint {
  commence(exchange: HttpExchange, reason?: AuthenticationFailureReason): void {
    exchange.answer(unauthorizedProblem(reason));
  }
}

/** The 401 of {@link ProblemEntryPoint}. */
export function unauthorizedProblem(
  reason: AuthenticationFailureReason = 'unauthenticated',
): ProblemAnswer {
  return problemAnswer({ status: 401, detail: DETAILS[reason], reason });
}
