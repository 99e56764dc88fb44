import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { type SessionRequestContext } from '../../http/request/session-request-context.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import { asksToBeRemembered } from '../../security/remember-me.js';
import { loginRedirects } from './login-redirect.js';
import { sessionRequestForLogin } from './login-request.js';
import { LoginService } from './login.service.js';
import { HttpPlatform } from '../platform/http-platform.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS, SESSION_REQUEST_CONTEXT } from '../redis-session.tokens.js';
import { SecurityEvents } from '../access/security-events.service.js';
import { LoginFailedException } from '../access/security.exceptions.js';

/** A request that a login form, or a redirect of an identity provider, has sent. */
interface LoginRequest {
  readonly body?: unknown;
}

/** By what the requests of one application share: Nest injects nothing into `@UseGuards(new LocalGuard())`. */
const flows = foreignProperty<LoginFlow>('login flow');

/** What a `LoginGuard` does once a strategy has decided. */
@Injectable()
export class LoginFlow {
  @Inject() private readonly loginService!: LoginService;
  @Inject() private readonly platform!: HttpPlatform;
  @Inject() private readonly events!: SecurityEvents;
  @Inject(RESOLVED_OPTIONS) private readonly options!: ResolvedOptions;

  constructor(@Inject(SESSION_REQUEST_CONTEXT) context: SessionRequestContext) {
    flows.set(context, this);
  }

  /**
   * That of the application which a request belongs to.
   *
   * @throws SessionOptionError when the route is excluded from sessions
   */
  static of(call: ExecutionContext): LoginFlow {
    const { context } = sessionRequestForLogin(call.switchToHttp().getRequest());
    const flow = flows.get(context);
    if (!flow) throw new TypeError('Cannot log in: the request belongs to no application.');
    return flow;
  }

  /**
   * Logs in whom the strategy has put on the request, and decides where the login leads.
   *
   * @param property - of the request, where the user is
   */
  async succeed(context: ExecutionContext, strategy: string, property: string): Promise<void> {
    const http = context.switchToHttp();
    const request = http.getRequest<LoginRequest>();
    const { security } = this.options;
    const user = (request as Record<string, object | undefined>)[property];
    if (!user) throw this.fail(strategy);
    const isRemembered =
      security &&
      security.isRememberMeOffered &&
      asksToBeRemembered(request.body, security.rememberMe.parameter);
    const authentication = await this.loginService.login(request, user, {
      isRemembered,
      strategy,
    });
    if (!security) return;
    const exchange = this.platform.exchange(request, http.getResponse());
    const location = await security.authenticationSuccessHandler.onAuthenticationSuccess({
      authentication,
      defaultSuccessPath: security.defaultSuccessPath,
      exchange,
      requestCache: security.requestCache,
    });
    loginRedirects.set(request, location);
  }

  /** @returns what to throw */
  fail(strategy: string, cause?: unknown): LoginFailedException {
    this.events.publish('authentication-failure', { reason: 'bad-credentials', strategy });
    return new LoginFailedException('bad-credentials', { cause });
  }
}
