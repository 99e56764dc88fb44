import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { catchError, concatMap, from, map, type Observable, of } from 'rxjs';
import { SessionRequest } from '../http/session-request.js';
import { locationAfterHandler } from './after-login.js';
import { LoginRedirect } from './login-redirect.js';
import { rawRequestOf } from './platform/raw-messages.js';
import { toHttpException } from './session-failure.js';

/**
 * Saves the session when the handler is done, so that a failed save passes through the application's exception filters.
 * It does not see responses of guards, middleware and `@Res()`: what it misses, `CommittedResponse` saves.
 *
 * The second half of `SessionRepositoryFilter` of Spring Session.
 */
@Injectable()
export class SessionRepositoryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const sessionRequest = SessionRequest.of(rawRequestOf(context.switchToHttp().getRequest()));
    if (!sessionRequest) return next.handle();
    return next.handle().pipe(
      concatMap((result: unknown) => {
        const location = locationAfterHandler(sessionRequest.request);
        if (location !== undefined) throw new LoginRedirect(location);
        if (!sessionRequest.needsCommit()) return of(result);
        return from(sessionRequest.commit()).pipe(map(() => result));
      }),
      catchError((error: unknown) => {
        throw toHttpException(error);
      }),
    );
  }
}
