import { type IncomingMessage } from 'node:http';
import { SessionRequest } from '../../http/session-request.js';
import { runInScope } from '../../security/security-context-holder.js';
import { hiddenProperty } from '../../session/hidden-property.js';
import { toHttpException } from '../session-failure.js';
import { type DecoratableFastify, decorateReplyForPassport } from './passport-reply.js';
import { showUser } from './request-user.js';

interface FastifyRequestLike {
  readonly raw: IncomingMessage;
}

type Done = (error?: unknown) => void;

/** What is used of a Fastify instance. */
export interface FastifyLike extends DecoratableFastify {
  addHook(
    name: 'preValidation',
    hook: (request: FastifyRequestLike, reply: unknown, done: Done) => void,
  ): void;
  addHook(
    name: 'onSend',
    hook: (request: FastifyRequestLike, reply: unknown, payload: unknown, done: Done) => void,
  ): void;
}

/** Whether the session of a request was saved by the hook already: a second failure is not for the filters again. */
const committed = hiddenProperty<boolean>();

/** Has Fastify's own request know the user, and the exception filters of the application answer for a failed save. */
export function hookFastify(fastify: FastifyLike, hasContextHolder: boolean): void {
  decorateReplyForPassport(fastify);
  fastify.addHook('preValidation', (request, _reply, done) => {
    const sessionRequest = SessionRequest.of(request.raw);
    if (!sessionRequest) {
      done();
      return;
    }
    // Fastify's request is another object than the one that middleware sees.
    showUser(request, sessionRequest.securityContext);
    // The body is read after all middleware, in callbacks of the socket, where the scope that one opened is lost.
    if (hasContextHolder) runInScope(sessionRequest, done);
    else done();
  });
  fastify.addHook('onSend', (request, _reply, payload, done) => {
    const sessionRequest = SessionRequest.of(request.raw);
    if (!sessionRequest || isStream(payload) || committed.get(sessionRequest)) {
      done();
      return;
    }
    commitEarly(sessionRequest, done);
  });
}

/** An error that is handed to Fastify here passes through Nest's exception filters; `CommittedResponse` could not do that. */
function commitEarly(sessionRequest: SessionRequest, done: Done): void {
  const fail = (error: unknown): void => {
    done(toHttpException(error));
  };
  try {
    if (!sessionRequest.needsCommit()) {
      done();
      return;
    }
  } catch (error) {
    committed.set(sessionRequest, true);
    fail(error);
    return;
  }
  committed.set(sessionRequest, true);
  sessionRequest.commit().then(() => {
    done();
  }, fail);
}

function isStream(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'pipe' in payload;
}
