import { type IncomingMessage } from 'node:http';
import { isOfBody } from '../../http/dropped-response.js';
import { SessionRequest } from '../../http/session-request.js';
import { runInScope } from '../../security/security-context-holder.js';
import { toHttpException } from '../session-failure.js';
import { type DecoratableFastify, decorateReplyForPassport } from './passport-reply.js';
import { showUser } from './request-user.js';

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
