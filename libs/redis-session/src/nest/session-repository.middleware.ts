import { type IncomingMessage, type ServerResponse } from 'node:http';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { CommittedResponse } from '../http/committed-response.js';
import { type SessionRequestContext } from '../http/session-request-context.js';
import { SessionRequest } from '../http/session-request.js';
import { type SecurityContext } from '../security/security-context.js';
import { runInScope } from '../security/security-context-holder.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { showUser } from './platform/request-user.js';
import { RESOLVED_OPTIONS, SESSION_REQUEST_CONTEXT } from './redis-session.tokens.js';
import { toHttpException } from './session-failure.js';

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
  private readonly isLazy: boolean;

  constructor(
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
    @Inject(SESSION_REQUEST_CONTEXT) private readonly context: SessionRequestContext,
  ) {
    this.isLazy = options.load === 'lazy';
  }

  use(request: IncomingMessage, response: ServerResponse, next: () => void): void | Promise<void> {
    const sessionRequest = new SessionRequest(request, response, this.context);
    CommittedResponse.attach(response, sessionRequest);
    if (this.isLazy) return runInScope(sessionRequest, next);
    const loading = sessionRequest.loadSecurityContext();
    const goOn = (context: SecurityContext): void => {
      showUser(request, context);
      runInScope(sessionRequest, next);
    };
    if (!(loading instanceof Promise)) return goOn(loading);
    return loading.then(goOn, (error: unknown) => {
      throw toHttpException(error);
    });
  }
}
