import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  mixin,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { HttpPlatform } from './platform/http-platform.js';
import { LoginService } from './login.service.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { RESOLVED_OPTIONS } from './redis-session.tokens.js';
import { LoginFailedException } from './security.exceptions.js';
import { isBrowserNavigation, takeSavedPath } from './tmp.js';
import { redirectAfterHandler } from './after-login.js';

/**
 * Logs in with a strategy of passport: a new session id, the security context stored, and for a browser's form back to
 * the page that was asked for. For other clients the handler's result is the answer.
 *
 * @param strategy - the name that the strategy is registered under, such as `local`
 */
export function LoginGuard(strategy: string): Type<CanActivate> {
  class StrategyLoginGuard extends AuthGuard(strategy) {
    @Inject(LoginService) private readonly loginService!: LoginService;
    @Inject(HttpPlatform) private readonly platform!: HttpPlatform;
    @Inject(RESOLVED_OPTIONS) private readonly moduleOptions!: ResolvedOptions;

    override async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context.switchToHttp().getRequest<{ user?: object }>();
      await this.authenticate(context);
      const { user } = request;
      if (!user) throw new LoginFailedException('The login failed.');
      await this.loginService.login(request, user);
      const exchange = this.platform.exchange(request, context.switchToHttp().getResponse());
      if (isBrowserNavigation(exchange.request)) {
        const { security } = this.moduleOptions;
        const saved = await takeSavedPath(exchange);
        const home = security ? security.defaultSuccessPath : '/';
        redirectAfterHandler(exchange.request, saved ?? home);
      }
      return true;
    }

    private async authenticate(context: ExecutionContext): Promise<void> {
      try {
        await super.canActivate(context);
      } catch (error) {
        if (!(error instanceof UnauthorizedException)) throw error;
        throw new LoginFailedException('The login failed.', { cause: error });
      }
    }
  }
  return mixin(StrategyLoginGuard);
}
