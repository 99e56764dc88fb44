import { type IncomingMessage } from 'node:http';
import { type ArgumentsHost, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { prepareControl } from '../../http/response/controlled-methods.js';
import { type HttpAnswer } from '../../http/answers/http-answer.js';
import { type HttpExchange } from '../../http/answers/http-exchange.js';
import { SessionRequest } from '../../http/request/session-request.js';
import { fastifyOf } from './fastify.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.tokens.js';
import { toHttpException } from '../session-failure.js';
import { type FastifyLike, hookFastify } from './fastify.js';
import { rawRequestOf, rawResponseOf } from './raw-messages.js';

interface ExpressLike {
  /** The prototype of its responses. */
  readonly response: object;
}

/** What differs between Express and Fastify, in one place. */
@Injectable()
export class HttpPlatform implements OnModuleInit {
  private isHooked = false;
  private isExpress = false;
  private readonly hasContextHolder: boolean;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(RESOLVED_OPTIONS) { security }: ResolvedOptions,
  ) {
    this.hasContextHolder = security !== false && security.contextHolder;
    this.hook();
  }

  onModuleInit(): void {
    this.hook();
  }

  /** Whether the client's connection is TLS, as the platform sees it through the proxies that it trusts. */
  isSecure(request: IncomingMessage): boolean {
    // Of Express, and copied from Fastify's own request before the first middleware.
    if ('protocol' in request) return request.protocol === 'https';
    return 'encrypted' in request.socket && request.socket.encrypted === true;
  }

  /** Path and query as the client sent them, whatever a router has stripped. @param request - raw */
  urlOf(request: IncomingMessage): string {
    if ('originalUrl' in request && typeof request.originalUrl === 'string')
      return request.originalUrl;
    return request.url ?? '/';
  }

  /** @param request - of the platform or raw. @param response - of the platform or raw */
  exchange(request: object, response: object): HttpExchange {
    const rawRequest = rawRequestOf(request);
    const rawResponse = rawResponseOf(response);
    const adapter = this.adapterHost.httpAdapter;
    return {
      request: rawRequest,
      url: this.urlOf(rawRequest),
      isSecure: this.isSecure(rawRequest),
      sessionRequest: SessionRequest.of(rawRequest),
      get isCommitted() {
        return rawResponse.headersSent;
      },
      answer: ({ statusCode, headers = {}, body }: HttpAnswer) => {
        for (const [name, value] of Object.entries(headers))
          adapter.setHeader(response, name, value);
        adapter.reply(response, body, statusCode);
      },
      appendHeader: (name, value) => {
        adapter.appendHeader(response, name, value);
      },
    };
  }

  /** Has the exception filters of the application answer for a session that could not be saved; on Fastify, a hook does that. */
  answerFailures(sessionRequest: SessionRequest, next: (error?: unknown) => void): void {
    if (!this.isExpress) return;
    sessionRequest.failures.handler = (error) => {
      next(toHttpException(error));
    };
  }

  /** Has the exception filters of the application answer for `exception`, wherever it comes from. */
  fail(host: ArgumentsHost, exception: unknown): void {
    const http = host.switchToHttp();
    if (this.isExpress) http.getNext<(error: unknown) => void>()(exception);
    else http.getResponse<{ send(error: unknown): void }>().send(exception);
  }

  private hook(): void {
    const { httpAdapter } = this.adapterHost as { httpAdapter?: HttpAdapterHost['httpAdapter'] };
    if (!httpAdapter || this.isHooked) return;
    this.isHooked = true;
    this.isExpress = httpAdapter.getType() === 'express';
    if (this.isExpress) prepareControl(httpAdapter.getInstance<ExpressLike>().response);
    const fastify = fastifyOf<FastifyLike>(this.adapterHost);
    if (fastify) hookFastify(fastify, this.hasContextHolder);
  }
}
