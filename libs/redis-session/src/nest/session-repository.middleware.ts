import { type IncomingMessage, type ServerResponse } from 'node:http';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { CommittedResponse } from '../http/response/committed-response.js';
import { type RequestSetup } from '../http/request/request-setup.js';
import { SessionRequest } from '../http/request/session-request.js';
import { type SecurityContext, runInScope } from '../security/security-context.js';
import { type ResolvedOptions } from './options/redis-session.options.js';
import { HttpPlatform, showUser } from './http-platform.js';
import { RESOLVED_OPTIONS, REQUEST_SETUP } from './redis-session.module-definition.js';
import { SessionFeatures } from './session-features.js';
import { toHttpException } from './access/security.exceptions.js';

type Next = (error?: unknown) => void;

/**
 * Finds the session of a request and who its user is, and sees to it that the session is saved before the response
 * leaves. Guards and middleware of the application find `request.user` and the `SecurityContextHolder` filled.
 *
 * The first half of `SessionRepositoryFilter` of Spring Session.
 */
@Injectable()
export class SessionRepositoryMiddleware implements NestMiddleware<
  IncomingMessage,
  ServerResponse
> {
  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(REQUEST_SETUP) private readonly setup: RequestSetup,
    private readonly platform: HttpPlatform,
    private readonly features: SessionFeatures,
  ) {}

  use(request: IncomingMessage, response: ServerResponse, next: Next): void | Promise<void> {
    const known = SessionRequest.of(request);
    // `app.use(redisSession(app))` came first. Parsers of the body may have lost its scope.
    if (known) return this.inScope(known, next);
    const sessionRequest = new SessionRequest(request, response, this.setup);
    this.platform.answerFailures(sessionRequest, next);
    CommittedResponse.attach(response, sessionRequest);
    this.features.attach(sessionRequest);
    if (this.options.load === 'lazy') return this.inScope(sessionRequest, next);
    const loading = sessionRequest.loadSecurityContext();
    const goOn = (context: SecurityContext): void => {
      showUser(request, context);
      this.inScope(sessionRequest, () => this.features.authenticate(sessionRequest, next));
    };
    if (!(loading instanceof Promise)) return goOn(loading);
    return loading.then(goOn, (error: unknown) => {
      throw toHttpException(error);
    });
  }

  private inScope(sessionRequest: SessionRequest, action: () => void): void {
    if (this.options.security && this.options.security.contextHolder) {
      runInScope(sessionRequest, action);
    } else {
      action();
    }
  }
}

/** A middleware without Nest's matching of routes, which costs about as much as the middleware itself. */
export function toFunction(
  middleware: NestMiddleware<IncomingMessage, ServerResponse>,
): (request: IncomingMessage, response: ServerResponse, next: Next) => void {
  return (request, response, next) => {
    try {
      (middleware.use(request, response, next) as Promise<void> | undefined)?.catch(next);
    } catch (error) {
      next(error);
    }
  };
}
