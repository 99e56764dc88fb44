import { type ExecutionContext, mixin, type Type, UnauthorizedException } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { AuthGuard, type IAuthGuard } from '@nestjs/passport';
import { LoginFlow } from './login-flow.js';

/** An option of passport: the property of the request that the user is put in. */
interface PropertyOption {
  readonly property?: string;
}

/** What a guard of `@nestjs/passport` has of `PassportModule.register`. */
interface WithModuleOptions {
  readonly options?: PropertyOption;
}

/** On the prototype of every guard that logs in, so that subclasses and instances have it, too. */
const IS_LOGIN_GUARD = Symbol('is login guard');

/**
 * Logs in with a strategy of passport: a new session id, the security context stored, and for a browser's form back to
 * the page that was asked for. For other clients the handler's result is the answer. A handler that takes `@Res()`
 * answers itself. Its route is public.
 *
 * Goes on a handler, or on a class all of whose routes log in. May be extended:
 * `class LocalGuard extends LoginGuard('local') {}`.
 *
 * @param strategy - the name that the strategy is registered under, such as `local`
 */
export function LoginGuard(strategy: string): Type<IAuthGuard> {
  class StrategyLoginGuard extends AuthGuard(strategy) {
    override async canActivate(context: ExecutionContext): Promise<boolean> {
      const flow = LoginFlow.of(context);
      try {
        await super.canActivate(context);
      } catch (error) {
        throw error instanceof UnauthorizedException ? flow.fail(strategy, error) : error;
      }
      await flow.succeed(context, strategy, await this.propertyFor(context));
      return true;
    }

    /** Where passport has put the user: as the guard says, else as `PassportModule.register` does. */
    private async propertyFor(context: ExecutionContext): Promise<string> {
      const { options: ofModule } = this as WithModuleOptions;
      const options = (await this.getAuthenticateOptions(context)) as PropertyOption | undefined;
      return options?.property ?? ofModule?.property ?? 'user';
    }
  }
  Object.defineProperty(StrategyLoginGuard.prototype, IS_LOGIN_GUARD, { value: true });
  return mixin(StrategyLoginGuard);
}

/** Whether a {@link LoginGuard} is bound to `target`, a handler or a class, by its class or by an instance. */
export function hasLoginGuard(target: object): boolean {
  const guards = Reflect.getMetadata(GUARDS_METADATA, target) as unknown;
  return Array.isArray(guards) && guards.some(isLoginGuard);
}

/** Whether the route of a handler logs users in. */
export function isLoginRoute(context: Pick<ExecutionContext, 'getClass' | 'getHandler'>): boolean {
  return hasLoginGuard(context.getHandler()) || hasLoginGuard(context.getClass());
}

function isLoginGuard(guard: unknown): boolean {
  const instance: unknown = typeof guard === 'function' ? guard.prototype : guard;
  return typeof instance === 'object' && instance !== null && IS_LOGIN_GUARD in instance;
}
