import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { attachRequestSession } from './request-session.js';
import { RequestSession, type RequestSessionContext } from './request-session.js';
import { RequestSessionStore } from './request-session-store.js';
import { type SessionRequestContext } from '../http/request/session-request-context.js';
import { type SessionRequest } from '../http/request/session-request.js';
import { runInScope } from '../security/security-context.js';
import { type DecoratableRequests, decorateForRequestSessions } from './fastify-decorators.js';
import { fastifyOf } from '../nest/platform/fastify.js';
import { keepSessionUser, passportSession } from './passport-session.js';
import { type ResolvedOptions } from '../nest/options/redis-session.options.js';
import { RESOLVED_OPTIONS, SESSION_REQUEST_CONTEXT } from '../nest/redis-session.tokens.js';
import { toHttpException } from '../nest/session-failure.js';

/** Gives requests `req.session` and its companions, with the option `requestSession`. */
@Injectable()
export class RequestSessions implements OnModuleInit {
  private readonly context: RequestSessionContext;
  private readonly store: RequestSessionStore;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(SESSION_REQUEST_CONTEXT) requestContext: SessionRequestContext,
  ) {
    this.context = { ...options, toError: toHttpException };
    this.store = new RequestSessionStore({
      ...options,
      ...requestContext,
      toError: toHttpException,
    });
  }

  onModuleInit(): void {
    const fastify = fastifyOf<DecoratableRequests>(this.adapterHost);
    if (fastify && this.options.requestSession) decorateForRequestSessions(fastify);
  }

  /** Does nothing without the option. */
  attach(sessionRequest: SessionRequest): void {
    if (!this.options.requestSession) return;
    const requestSession = new RequestSession(sessionRequest, this.context);
    attachRequestSession(sessionRequest.request, requestSession, this.store);
    if (this.options.passportSession) keepSessionUser(sessionRequest.request);
  }

  /** Has passport find the user of the session, with the option `passportSession`. */
  authenticate(sessionRequest: SessionRequest, next: (error?: unknown) => void): void {
    if (!this.options.passportSession) return next();
    const { request, response } = sessionRequest;
    // Whatever the application's serializer waits for may have lost the scope.
    passportSession(request, response, (error) => runInScope(sessionRequest, () => next(error)));
  }
}
