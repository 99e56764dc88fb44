import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { attachRequestSession } from '../http/express-session/attach-request-session.js';
import {
  RequestSession,
  type RequestSessionContext,
} from '../http/express-session/request-session.js';
import { RequestSessionStore } from '../http/express-session/request-session-store.js';
import { type SessionRequestContext } from '../http/session-request-context.js';
import { type SessionRequest } from '../http/session-request.js';
import { runInScope } from '../security/security-context-holder.js';
import {
  type DecoratableRequests,
  decorateForRequestSessions,
} from './platform/fastify-decorators.js';
import { fastifyOf } from './platform/fastify-of.js';
import { keepSessionUser, passportSession } from './passport-session.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { RESOLVED_OPTIONS, SESSION_REQUEST_CONTEXT } from './redis-session.tokens.js';
import { toHttpException } from './session-failure.js';

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
