import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  mixin,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { LoginFlow } from './login-flow.js';

/**
 * Logs in with a strategy of passport: a new session id, the security context stored, and for a browser's form back to
 * the page that was asked for. For other clients the handler's result is the answer.
 *
 * @param strategy - the name that the strategy is registered under, such as `local`
 */
export function LoginGuard(strategy: string): Type<CanActivate> {
  class StrategyLoginGuard extends AuthGuard(strategy) {
    @Inject(LoginFlow) private readonly flow!: LoginFlow;

    override async canActivate(context: ExecutionContext): Promise<boolean> {
      try {
        await super.canActivate(context);
      } catch (error) {
        throw error instanceof UnauthorizedException ? this.flow.fail(strategy, error) : error;
      }
      await this.flow.succeed(context, strategy);
      return true;
    }
  }
  return mixin(StrategyLoginGuard);
}
