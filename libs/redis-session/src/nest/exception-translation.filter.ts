import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { type HttpExchange } from '../http/http-exchange.js';
import { EMPTY_SECURITY_CONTEXT } from '../security/security-context.js';
import { type HttpPlatform } from './platform/http-platform.js';
import { type ResolvedOptions } from './redis-session.options.js';
import {
  AuthenticationException,
  findSecurityException,
  LoginFailedException,
} from './security.exceptions.js';
import { isBrowserNavigation, keepRequest, problem } from './tmp.js';
import { LoginRedirect } from './login-redirect.js';

/** Matches exceptions that have a security exception in their chain of causes, and no others: those stay with the app. */
class SecurityExceptionMatcher {
  static [Symbol.hasInstance](error: unknown): boolean {
    return error instanceof LoginRedirect || findSecurityException(error) !== undefined;
  }
}

/**
 * Translates security exceptions into answers: who is not logged in is sent to log in, who may not gets 403. Decides
 * nothing, and waits for nothing: what it changes in the session is saved before the response leaves.
 *
 * Mirrors `ExceptionTranslationFilter` of Spring Security.
 */
@Catch(SecurityExceptionMatcher)
export class ExceptionTranslationFilter implements ExceptionFilter {
  constructor(
    private readonly platform: HttpPlatform,
    private readonly options: ResolvedOptions,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const exchange = this.platform.exchange(http.getRequest(), http.getResponse());
    if (exchange.isCommitted) {
      this.options.logger.error(
        'Cannot answer a security exception: the response was already sent.',
      );
      return;
    }
    if (exception instanceof LoginRedirect) {
      exchange.answer({ statusCode: 303, headers: { Location: exception.location } });
      return;
    }
    const cause = findSecurityException(exception);
    if (cause instanceof LoginFailedException) this.refuseLogin(exchange);
    else if (cause instanceof AuthenticationException) this.startAuthentication(exchange);
    else exchange.answer(problem(403, 'You may not use this resource.'));
  }

  private startAuthentication(exchange: HttpExchange): void {
    if (exchange.sessionRequest) exchange.sessionRequest.securityContext = EMPTY_SECURITY_CONTEXT;
    const loginPage = this.options.security && this.options.security.loginPage;
    if (loginPage && isBrowserNavigation(exchange.request)) {
      keepRequest(exchange);
      exchange.answer({ statusCode: 302, headers: { Location: loginPage } });
    } else {
      exchange.answer(problem(401, 'Log in to use this resource.'));
    }
  }

  private refuseLogin(exchange: HttpExchange): void {
    const loginPage = this.options.security && this.options.security.loginPage;
    if (loginPage && isBrowserNavigation(exchange.request)) {
      exchange.answer({ statusCode: 303, headers: { Location: `${loginPage}?error` } });
    } else {
      exchange.answer(problem(401, 'The login failed.'));
    }
  }
}
