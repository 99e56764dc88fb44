import { type IncomingMessage } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { runInScope } from '../../security/security-context-holder.js';
import { type HttpAnswer } from '../../http/http-answer.js';
import { type HttpExchange } from '../../http/http-exchange.js';
import { SessionRequest } from '../../http/session-request.js';
import { fastifyOf } from './fastify-of.js';
import { type DecoratableFastify, decorateReplyForPassport } from './passport-reply.js';
import { rawRequestOf, rawResponseOf } from './raw-messages.js';
import { showUser } from './request-user.js';

interface FastifyRequestLike {
  readonly raw: IncomingMessage;
}

interface FastifyLike extends DecoratableFastify {
  addHook(
    name: 'preValidation',
    hook: (request: FastifyRequestLike, reply: unknown, done: () => void) => void,
  ): void;
}

/** What differs between Express and Fastify, in one place. */
@Injectable()
export class HttpPlatform implements OnModuleInit {
  private isHooked = false;

  constructor(private readonly adapterHost: HttpAdapterHost) {
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

  /** @param request - of the platform or raw. @param response - of the platform or raw */
  exchange(request: object, response: object): HttpExchange {
    const rawRequest = rawRequestOf(request);
    const rawResponse = rawResponseOf(response);
    const adapter = this.adapterHost.httpAdapter;
    return {
      request: rawRequest,
      url: urlOf(rawRequest),
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

  /**
   * Fastify reads the body after all middleware, in callbacks of the socket, where the scope that a middleware opened is
   * lost: it is opened again. Its own request is another object than the one that middleware sees.
   */
  private hook(): void {
    const fastify = this.isHooked ? undefined : fastifyOf<FastifyLike>(this.adapterHost);
    if (!fastify) return;
    this.isHooked = true;
    decorateReplyForPassport(fastify);
    fastify.addHook('preValidation', (request, _reply, done) => {
      const sessionRequest = SessionRequest.of(request.raw);
      if (!sessionRequest) {
        done();
        return;
      }
      showUser(request, sessionRequest.securityContext);
      runInScope(sessionRequest, done);
    });
  }
}

function urlOf(request: IncomingMessage): string {
  if ('originalUrl' in request && typeof request.originalUrl === 'string')
    return request.originalUrl;
  return request.url ?? '/';
}
