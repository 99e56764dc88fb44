import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type AuthenticationEntryPoint } from './authentication-entry-point.js';
import { type HttpExchange } from './http-exchange.js';
import { unauthorizedProblem } from './problem-entry-point.js';
import { isScriptRequest } from './request-matchers.js';

/**
 * Asks for HTTP Basic credentials (RFC 7617). Scripts of a page get a 401 without the challenge, as the browser would
 * open its password dialog for it.
 *
 * Mirrors `BasicAuthenticationEntryPoint` of Spring Security.
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
