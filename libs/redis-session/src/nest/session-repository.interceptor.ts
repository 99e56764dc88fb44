import { type ServerResponse } from 'node:http';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { catchError, concatMap, from, map, type Observable, of } from 'rxjs';
import { locationAfterHandler } from './after-login.js';
import { LoginRedirect } from './login-redirect.js';
import { findSessionRequest, isMessage, runInMessageContext } from './message-context.js';
import { toHttpException } from './session-failure.js';

/**
 * Saves the session when the handler is done, so that a failed save passes through the application's exception filters.
 * It does not see responses of guards, middleware and `@Res()`: what it misses, `CommittedResponse` saves. Has handlers
 * of WebSocket and microservice messages run in the security context of who sent them.
 *
 * The second half of `SessionRepositoryFilter` of Spring Session.
 */
@Injectable()
export class SessionRepositoryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (isMessage(context)) return runInMessageContext(context, () => next.handle());
    if (context.getType() !== 'http') return next.handle();
    const sessionRequest = findSessionRequest(context);
    if (!sessionRequest) return next.handle();
    return next.handle().pipe(
      concatMap((result: unknown) => {
        const location = locationAfterHandler(sessionRequest.request);
        if (location !== undefined) throw redirectTo(location, sessionRequest.response);
        if (!sessionRequest.needsCommit()) return of(result);
        return from(sessionRequest.commit()).pipe(map(() => result));
      }),
      catchError((error: unknown) => {
        throw toHttpException(error);
      }),
    );
  }
}

/** With the header, filters of the application that answer every exception by its status redirect, too. */
function redirectTo(location: string, response: ServerResponse): LoginRedirect {
  if (!response.headersSent) response.setHeader('Location', location);
  return new LoginRedirect(location);
}
