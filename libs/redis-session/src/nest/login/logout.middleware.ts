import { type IncomingMessage, type ServerResponse } from 'node:http';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { redirectAnswer } from '../../http/answers/http-exchange.js';
import { isBrowserNavigation } from '../../http/answers/request-matchers.js';
import { LogoutService } from './logout.service.js';
import { CsrfTokenService } from '../access/csrf-token.service.js';
import { HttpPlatform } from '../http-platform.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { type ResolvedLogoutOptions } from '../options/security.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.module-definition.js';
import { CsrfException, toHttpException } from '../access/security.exceptions.js';

/**
 * Answers `POST` to the path of the option `security.logout`: browsers are led to `successPath`, others get 204. The path is
 * the one that clients see: like those of the login page, it is not moved by a global prefix.
 *
 * Mirrors `LogoutFilter` of Spring Security.
 */
@Injectable()
export class LogoutMiddleware implements NestMiddleware<IncomingMessage, ServerResponse> {
  constructor(
    private readonly logoutService: LogoutService,
    private readonly platform: HttpPlatform,
    private readonly csrfTokens: CsrfTokenService,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether `request` is one that {@link use} answers. */
  matches(request: IncomingMessage): boolean {
    if (request.method !== 'POST') return false;
    const [path = ''] = this.platform.urlOf(request).split('?', 1);
    return path === this.logoutOptions?.path || path === `${this.logoutOptions?.path}/`;
  }

  async use(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { successPath = '/', endsEverySession = false } = this.logoutOptions ?? {};
    try {
      await this.refuseForged(request);
      await this.logoutService.logout(request, { endsEverySession });
    } catch (error) {
      throw toHttpException(error);
    }
    const exchange = this.platform.exchange(request, response);
    const isPage = isBrowserNavigation(request);
    exchange.answer(isPage ? redirectAnswer(exchange, successPath) : { statusCode: 204 });
  }

  /** Fastify has not read the body yet, so that a form's token is not seen here: what the browser says counts, too. */
  private async refuseForged(request: IncomingMessage): Promise<void> {
    const { security } = this.options;
    if (!security || !security.csrf || security.csrf.isExempt(request)) return;
    if (request.headers['sec-fetch-site'] === 'same-origin') return;
    if (await this.csrfTokens.hasToken(request)) return;
    throw new CsrfException('The request does not come from a page of this site.');
  }

  private get logoutOptions(): ResolvedLogoutOptions | undefined {
    const { security } = this.options;
    return security ? security.logout : undefined;
  }
}
