import { type IncomingMessage, type ServerResponse } from 'node:http';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { CommittedResponse } from '../http/committed-response.js';
import { type SessionRequestContext } from '../http/session-request-context.js';
import { SessionRequest } from '../http/session-request.js';
import { runInScope } from '../security/security-context-holder.js';
import { passportSession } from './passport-session.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { RESOLVED_OPTIONS, SESSION_REQUEST_CONTEXT } from './redis-session.tokens.js';
import { RequestSessions } from './request-sessions.js';
import { toHttpException } from './session-failure.js';

type Next = (error?: unknown) => void;

/**
 * Finds the session of a request, and sees to it that it is saved before the response leaves.
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
    @Inject(SESSION_REQUEST_CONTEXT) private readonly context: SessionRequestContext,
    private readonly requestSessions: RequestSessions,
  ) {}

  use(request: IncomingMessage, response: ServerResponse, next: Next): void | Promise<void> {
    const known = SessionRequest.of(request);
    // `app.use(redisSession(app))` came first. Parsers of the body may have lost its scope.
    if (known) return runInScope(known, next);
    const sessionRequest = new SessionRequest(request, response, this.context);
    CommittedResponse.attach(response, sessionRequest);
    this.requestSessions.attach(sessionRequest);
    const loading = this.options.load === 'lazy' ? undefined : sessionRequest.load();
    if (loading === undefined) return this.proceed(sessionRequest, next);
    return loading.then(
      () => this.proceed(sessionRequest, next),
      (error: unknown) => {
        throw toHttpException(error);
      },
    );
  }

  private proceed(sessionRequest: SessionRequest, next: Next): void {
    const { request, response } = sessionRequest;
    if (!this.options.passportSession) return runInScope(sessionRequest, next);
    runInScope(sessionRequest, () =>
      passportSession(request, response, (error) => runInScope(sessionRequest, () => next(error))),
    );
  }
}
