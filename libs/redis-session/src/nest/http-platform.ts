import { type ArgumentsHost, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpExchange } from '../http/answers/http-exchange.js';
import { type HttpAnswer } from '../http/answers/http-answer.js';
import { SessionRequest } from '../http/request/session-request.js';
import { isOfBody } from '../http/response/dropped-response.js';
import { runInScope } from '../security/security-context.js';
import { toHttpException } from './access/security.exceptions.js';
import { type ResolvedOptions } from './options/redis-session.options.js';
import { RESOLVED_OPTIONS } from './redis-session.module-definition.js';
import { rawRequestOf, rawResponseOf, showUser } from './call-context.js';

/**
 * Fastify, if the application runs on it.
 *
 * @returns undefined on Express, and before `createNestApplication` of a testing module: ask again in `onModuleInit`
 */
export function fastifyOf<Fastify>(adapterHost: HttpAdapterHost): Fastify | undefined {
  const adapter = adapterHost.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
  return adapter?.getType() === 'fastify' ? adapter.getInstance<Fastify>() : undefined;
}

interface FastifyReplyLike {
  getHeaders(): object;
  removeHeader(name: string): unknown;
  send(error: unknown): unknown;
}

/** What is used of a Fastify instance. */
interface FastifyLike {
  hasReplyDecorator(name: string): boolean;
  decorateReply(name: string, value: unknown): void;
  addHook(
    name: 'preValidation',
    hook: (request: { raw: IncomingMessage }, reply: FastifyReplyLike, done: () => void) => void,
  ): void;
}

/** Has Fastify's own request know the user, and the exception filters of the application answer for a failed save. */
function hookFastify(fastify: FastifyLike, hasContextHolder: boolean): void {
  decorateReplyForPassport(fastify);
  fastify.addHook('preValidation', (request, reply, done) => {
    const sessionRequest = SessionRequest.of(request.raw);
    if (!sessionRequest) {
      done();
      return;
    }
    sessionRequest.failures.handler = (error) => {
      answerFailure(reply, error);
    };
    // Fastify's request is another object than the one that middleware sees.
    showUser(request, sessionRequest.securityContext);
    // The body is read after all middleware, in callbacks of the socket, where the scope that one opened is lost.
    if (hasContextHolder) runInScope(sessionRequest, done);
    else done();
  });
}

/** The reply has been sent, but nothing of it has left: it takes another answer. */
function answerFailure(reply: FastifyReplyLike, error: unknown): void {
  for (const name of Object.keys(reply.getHeaders())) {
    if (isOfBody(name)) reply.removeHeader(name);
  }
  reply.send(toHttpException(error));
}

interface Reply {
  header(name: string, value: unknown): Reply;
  send(payload?: unknown): Reply;
}

/**
 * Gives replies of Fastify what passport calls on a response of node:http: `setHeader` and `end`. Without them a strategy
 * that redirects, such as those of OAuth, ends in a 500. `end` sends through Fastify, so that hooks run and headers that are
 * set on the reply leave with it. What another plugin has decorated stays.
 */
function decorateReplyForPassport(fastify: FastifyLike): void {
  for (const [name, method] of Object.entries({ setHeader, end })) {
    if (!fastify.hasReplyDecorator(name)) fastify.decorateReply(name, method);
  }
}

function setHeader(this: Reply, name: string, value: unknown): Reply {
  return this.header(name, value);
}

function end(this: Reply, body?: unknown): Reply {
  return this.send(body);
}

/** What is used of an Express application: the prototypes of its requests and responses. */
interface ExpressLike {
  request: object;
  response: object;
}

/**
 * Has `server` create requests and responses with the prototypes of `express`. Otherwise Express sets the prototype of each of
 * them, and V8 is slow with such objects before Node 24: on Node 20, a request to bare Nest takes 413 µs of CPU, and 130 with
 * this. A class that the application has given to the server stays.
 */
function createAsExpress(server: object, express: ExpressLike): void {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse extends ServerResponse {}
  if (replaceClass(server, IncomingMessage, ExpressRequest)) {
    express.request = takePlaceOf(express.request, ExpressRequest.prototype);
    makeSettable(ExpressRequest.prototype);
  }
  if (replaceClass(server, ServerResponse, ExpressResponse))
    express.response = takePlaceOf(express.response, ExpressResponse.prototype);
}

/** The classes are options of `http.createServer`, which keeps them under symbols of their names. @returns whether it did */
function replaceClass(server: object, former: { name: string }, replacement: object): boolean {
  const key = Object.getOwnPropertySymbols(server).find((each) => each.description === former.name);
  return !!key && Reflect.get(server, key) === former && Reflect.set(server, key, replacement);
}

/** Makes `prototype` what `former` is. An application that mounts this one changes what it inherits from, and keeps the rest. */
function takePlaceOf(former: object, prototype: object): object {
  Reflect.deleteProperty(prototype, 'constructor');
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(former));
  return Object.setPrototypeOf(prototype, Object.getPrototypeOf(former) as object) as object;
}

/** Others get these requests, too, such as listeners for upgrades: what only Express cannot set, such as `query`, they can. */
function makeSettable(prototype: object): void {
  const inherited = Object.getPrototypeOf(prototype) as object;
  for (const [name, accessor] of Object.entries(Object.getOwnPropertyDescriptors(inherited))) {
    if (!accessor.get || accessor.set || Object.hasOwn(prototype, name)) continue;
    Object.defineProperty(prototype, name, {
      ...accessor,
      set(this: object, value: unknown) {
        const own = { value, writable: true, configurable: true, enumerable: true };
        Object.defineProperty(this, name, own);
      },
    });
  }
}

/** What differs between Express and Fastify, in one place. */
@Injectable()
export class HttpPlatform implements OnModuleInit {
  /** Of the adapter; empty before the application is initialized. */
  private type = '';
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
    const { httpAdapter } = this.adapterHost;
    const server = httpAdapter.getHttpServer() as object | undefined;
    if (this.isExpress && server) createAsExpress(server, httpAdapter.getInstance());
  }

  /** Whether the application runs on Express; false before it is initialized. @internal */
  get isExpress(): boolean {
    return this.type === 'express';
  }

  /** Whether the client's connection is TLS, as the platform sees it through the proxies that it trusts. @internal */
  isSecure(request: IncomingMessage): boolean {
    // Of Express, and copied from Fastify's own request before the first middleware.
    if ('protocol' in request) return request.protocol === 'https';
    return 'encrypted' in request.socket && request.socket.encrypted === true;
  }

  /** Path and query as the client sent them, whatever a router has stripped. @internal */
  urlOf(request: IncomingMessage): string {
    if ('originalUrl' in request && typeof request.originalUrl === 'string')
      return request.originalUrl;
    return request.url ?? '/';
  }

  /** @param request - of the platform or raw. @param response - of the platform or raw. @internal */
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

  /** Lets the exception filters of the application answer for `exception`, wherever it comes from. @internal */
  fail(host: ArgumentsHost, exception: unknown): void {
    const http = host.switchToHttp();
    if (this.isExpress) http.getNext<(error: unknown) => void>()(exception);
    else http.getResponse<{ send(error: unknown): void }>().send(exception);
  }

  private hook(): void {
    const { httpAdapter } = this.adapterHost as { httpAdapter?: HttpAdapterHost['httpAdapter'] };
    if (!httpAdapter || this.type !== '') return;
    this.type = httpAdapter.getType();
    const fastify = fastifyOf<FastifyLike>(this.adapterHost);
    if (fastify) hookFastify(fastify, this.hasContextHolder);
  }
}
