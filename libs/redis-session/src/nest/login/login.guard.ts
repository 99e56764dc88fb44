import {
  type ExecutionContext,
  Inject,
  Injectable,
  mixin,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import {
  GUARDS_METADATA,
  REDIRECT_METADATA,
  RENDER_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { AuthGuard, type IAuthGuard } from '@nestjs/passport';
import { redirectAnswer } from '../../http/answers/http-exchange.js';
import { type HttpAnswer } from '../../http/answers/http-answer.js';
import { type RequestSetup } from '../../http/request/request-setup.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import { asksToBeRemembered } from '../../security/remember-me.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { SecurityEvents } from '../access/security-events.service.js';
import { LoginFailedException } from '../access/security.exceptions.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { HttpPlatform } from '../http-platform.js';
import { rawRequestOf } from '../call-context.js';
import { RESOLVED_OPTIONS, REQUEST_SETUP } from '../redis-session.module-definition.js';
import { replaceResult } from '../session-pipeline.js';
import { NO_SESSION, sessionRequestForLogin, LoginService } from './login.service.js';

/** By what the requests of one application share: Nest injects nothing into `@UseGuards(new LocalGuard())`. */
const flows = foreignProperty<LoginFlow>('login flow');

/** What a `LoginGuard` does once a strategy has decided. */
@Injectable()
export class LoginFlow {
  @Inject() private readonly loginService!: LoginService;
  @Inject() private readonly platform!: HttpPlatform;
  @Inject() private readonly events!: SecurityEvents;
  @Inject(RESOLVED_OPTIONS) private readonly options!: ResolvedOptions;

  constructor(@Inject(REQUEST_SETUP) setup: RequestSetup) {
    flows.set(setup, this);
  }

  /** That of the application which a request belongs to. @throws SessionOptionError when the route is excluded from sessions */
  static of(call: ExecutionContext): LoginFlow {
    const { setup } = sessionRequestForLogin(call.switchToHttp().getRequest());
    const flow = flows.get(setup);
    if (!flow) throw new SessionOptionError(NO_SESSION);
    return flow;
  }

  /** Logs in whom the strategy has put on the request under `property`, and decides where the login leads. */
  async succeed(context: ExecutionContext, strategy: string, property: string): Promise<void> {
    const http = context.switchToHttp();
    const request = http.getRequest<Record<string, unknown>>();
    const { security } = this.options;
    const user = request[property] as object | undefined;
    if (!user) throw this.fail(strategy);
    const isRemembered =
      security &&
      security.isRememberMeOffered &&
      asksToBeRemembered(request['body'], security.rememberMe.parameter);
    const login = { isRemembered, strategy };
    const authentication = await this.loginService.login(request, user, login);
    if (!security) return;
    const exchange = this.platform.exchange(request, http.getResponse());
    const location = await security.authenticationSuccessHandler.onAuthenticationSuccess({
      authentication,
      defaultSuccessPath: security.defaultSuccessPath,
      exchange,
      requestCache: security.requestCache,
    });
    const leadOn = (result: unknown) =>
      location === undefined ? result : redirect(context, location, result);
    replaceResult(sessionRequestForLogin(request), leadOn);
  }

  /** @returns what to throw */
  fail(strategy: string, cause?: unknown): LoginFailedException {
    this.events.publish('authentication-failure', { reason: 'bad-credentials', strategy });
    return new LoginFailedException('bad-credentials', { cause });
  }
}

/** An option of passport: the property of the request that the user is put in. */
interface PropertyOption {
  readonly property?: string;
}

/** On the prototype of every guard that logs in, so that subclasses and instances have it, too. */
const IS_LOGIN_GUARD = Symbol('is login guard');

/**
 * Logs in with a strategy of passport: a new session id, the security context stored, and for a browser's form back to
 * the page that was asked for. For other clients the handler's result is the answer. A handler that takes `@Res()`
 * answers itself. Its route is public. Goes on a handler, or on a class all of whose routes log in, and may be extended.
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
      const { options: ofModule } = this as { readonly options?: PropertyOption };
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

/** What the responses of Express and of Fastify have in common. */
interface PlatformResponse {
  readonly headersSent?: boolean;
  readonly sent?: boolean;
  header(name: string, value: string): unknown;
  status(statusCode: number): unknown;
}

/** Answers a login with a redirect to `location`. @returns what takes the place of the handler's result */
function redirect(context: ExecutionContext, location: string, result: unknown): unknown {
  const http = context.switchToHttp();
  const response = http.getResponse<PlatformResponse>();
  if (response.headersSent || response.sent || answersItself(context)) return result;
  const answer = redirectAnswer({ request: rawRequestOf(http.getRequest<object>()) }, location);
  // Nest has set the status of the route already, and sets no other one afterwards.
  response.status(answer.statusCode);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.header(name, value);
  return resultInstead(context.getHandler(), result, answer);
}

/** What Nest answers with. A template may need what the handler has made for it, although nobody reads the page. */
function resultInstead(handler: object, result: unknown, answer: HttpAnswer): unknown {
  if (Reflect.hasMetadata(RENDER_METADATA, handler)) return result;
  if (!Reflect.hasMetadata(REDIRECT_METADATA, handler)) return undefined;
  return { statusCode: answer.statusCode, url: answer.headers?.['Location'] };
}

/** Whether the handler takes `@Res()` or `@Next()`: Nest answers nothing then, and the handler may have done so already. */
function answersItself(context: ExecutionContext): boolean {
  const [target, name] = [context.getClass(), context.getHandler().name];
  if (Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, target, name)) return false;
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, target, name) ?? {}) as object;
  // `<type>:<index>`; the type of a custom decorator is a random text, which may begin with a digit.
  const types = Object.keys(parameters).map((key) => key.split(':')[0]);
  return [RouteParamtypes.RESPONSE, RouteParamtypes.NEXT].some((type) => types.includes(`${type}`));
}
