import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  mixin,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { AuthGuard } from '@nestjs/passport';
import { LoginFlow } from './login-flow.js';

const loginGuards = new WeakSet<object>();

/**
 * Logs in with a strategy of passport: a new session id, the security context stored, and for a browser's form back to
 * the page that was asked for. For other clients the handler's result is the answer. Its route is public.
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
  const guard = mixin(StrategyLoginGuard);
  loginGuards.add(guard);
  return guard;
}

/** Whether `handler` logs users in, by a {@link LoginGuard} of its own. */
export function isLoginHandler(handler: object): boolean {
  const guards = Reflect.getMetadata(GUARDS_METADATA, handler) as unknown;
  return Array.isArray(guards) && guards.some((guard: object) => loginGuards.has(guard));
}
