import { type HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage } from 'node:http';
import { isOfBody } from '../../http/response/dropped-response.js';
import { SessionRequest } from '../../http/request/session-request.js';
import { runInScope } from '../../security/security-context.js';
import { toHttpException } from '../session-failure.js';
import { showUser } from './raw-messages.js';

/**
 * Fastify, if the application runs on it.
 *
 * @returns undefined on Express, and before `createNestApplication` of a testing module: ask again in `onModuleInit`
 */
export function fastifyOf<Fastify>(adapterHost: HttpAdapterHost): Fastify | undefined {
  const adapter = adapterHost.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
  return adapter?.getType() === 'fastify' ? adapter.getInstance<Fastify>() : undefined;
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage;
}

interface FastifyReplyLike {
  getHeaders(): object;
  removeHeader(name: string): unknown;
  send(error: unknown): unknown;
}

/** What is used of a Fastify instance. */
export interface FastifyLike extends DecoratableFastify {
  addHook(
    name: 'preValidation',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: () => void) => void,
  ): void;
}

/** Has Fastify's own request know the user, and the exception filters of the application answer for a failed save. */
export function hookFastify(fastify: FastifyLike, hasContextHolder: boolean): void {
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

/** The part of Fastify that is needed here. */
export interface DecoratableFastify {
  hasReplyDecorator(name: string): boolean;
  decorateReply(name: string, value: unknown): void;
}

interface Reply {
  header(name: string, value: unknown): Reply;
  send(payload?: unknown): Reply;
}

/**
 * Gives replies of Fastify what passport calls on a response of node:http: `setHeader` and `end`. Without them a strategy
 * that redirects, such as those of OAuth, ends in a 500.
 *
 * `end` sends through Fastify, so that hooks run and headers that are set on the reply leave with it. What another plugin
 * has decorated stays.
 */
export function decorateReplyForPassport(fastify: DecoratableFastify): void {
  const methods = { setHeader, end };
  for (const [name, method] of Object.entries(methods)) {
    if (!fastify.hasReplyDecorator(name)) fastify.decorateReply(name, method);
  }
}

function setHeader(this: Reply, name: string, value: unknown): Reply {
  return this.header(name, value);
}

function end(this: Reply, body?: unknown): Reply {
  return this.send(body);
}
