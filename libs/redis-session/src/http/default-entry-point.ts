import {
  type AuthenticationEntryPoint,
  type ExchangeMatcher,
} from './authentication-entry-point.js';
import { DelegatingEntryPoint } from './delegating-entry-point.js';
import { LoginPageEntryPoint } from './login-page-entry-point.js';
import { ProblemEntryPoint } from './problem-entry-point.js';
import { isBrowserNavigation } from './request-matchers.js';

/**
 * Sends browsers to the login page, and answers 401 to everybody else: programs, scripts, event streams. And to browsers
 * that ask for a login page that is itself protected: they would be sent there again and again.
 *
 * @param options.loginPage - undefined = 401 for browsers too
 * @throws SessionOptionError when it is no URL
 */
export function defaultEntryPoint({
  loginPage,
}: {
  readonly loginPage?: string | undefined;
} = {}): AuthenticationEntryPoint {
  const problem = new ProblemEntryPoint();
  if (loginPage === undefined) return problem;
  const [loginPath] = loginPage.split(/[?#]/, 1);
  const canBeSent: ExchangeMatcher = ({ request, url }) =>
    isBrowserNavigation(request) &&
    (request.method === 'POST' || url.split('?', 1)[0] !== loginPath);
  return new DelegatingEntryPoint([[canBeSent, new LoginPageEntryPoint(loginPage)]], problem);
}
