import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { type Observable, finalize, from, map, mergeMap, of } from 'rxjs';
import { type SessionRequest } from '../http/request/session-request.js';
import { redirectAfterLogin } from './login/login.guard.js';
import {
  beginMessageStep,
  findSessionRequest,
  isMessage,
  messageContextOf,
} from './messages/message-context.js';
import { toHttpException } from './access/security.exceptions.js';

/**
 * Saves the session once the handler is done, so that a save that fails travels through Nest: to the interceptors around
 * this one, and to the exception filters, route-scoped ones included. It also redirects after a login, and runs handlers of
 * messages in the security context of their sender.
 *
 * What Nest's pipeline does not see (denials of guards, `@Res()`, streams, events of `@Sse()`, GraphQL) is saved by
 * `CommittedResponse` before the first byte leaves.
 *
 * The second half of `SessionRepositoryFilter` of Spring Session.
 */
@Injectable()
export class SessionRepositoryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (isMessage(context)) {
      const securityContext = messageContextOf(context);
      if (!securityContext) return next.handle();
      const step = beginMessageStep(securityContext);
      return step.run(() => next.handle()).pipe(finalize(step.end));
    }
    const isPlainRoute =
      context.getType() === 'http' && !Reflect.hasMetadata(SSE_METADATA, context.getHandler());
    const sessionRequest = isPlainRoute ? findSessionRequest(context) : undefined;
    if (!sessionRequest) return next.handle();
    return next.handle().pipe(
      mergeMap((result) => save(sessionRequest, result)),
      map((result) => redirectAfterLogin(context, result)),
    );
  }
}

/** Emits `result` once what the request has changed is saved: at once when there is nothing to save. */
function save(sessionRequest: SessionRequest, result: unknown): Observable<unknown> {
  if (!sessionRequest.needsCommit()) return of(result);
  const commit = sessionRequest.commit().catch((error: unknown) => {
    throw toHttpException(error);
  });
  return from(commit).pipe(map(() => result));
}
