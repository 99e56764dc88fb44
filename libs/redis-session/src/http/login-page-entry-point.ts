import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type AuthenticationEntryPoint } from './authentication-entry-point.js';
import { CONTINUE_PARAMETER, continueKeyOf } from './continue-key.js';
import { type HttpExchange } from './http-exchange.js';
import { redirectAnswer, withQuery } from './redirect.js';
import { toSafeReturnPath } from './safe-return-path.js';

/**
 * Sends the client to the login page: `Location: /login?reason=insufficient&continue=Xy3_9aQz`.
 *
 * The URL is relative, so that it is right behind every proxy. `reason` is left out for who never was logged in,
 * `continue` when the request was not saved.
 *
 * Mirrors `LoginUrlAuthenticationEntryPoint` of Spring Security.
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
  return toSafeReturnPath(url.replace(/#[!-~]*$/, '')) !== undefined;
}

function isAbsolute(url: string): boolean {
  return /^https?:\/\/[^\s\\]+$/i.test(url) && URL.canParse(url);
}
