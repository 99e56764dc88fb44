import { type ServerResponse } from 'node:http';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { locationAfterHandler } from './after-login.js';
import { LoginRedirect } from './login-redirect.js';
import { findSessionRequest } from './message-context.js';

/** Answers a login with the redirect that the login has decided on, in place of the handler's result. */
@Injectable()
export class LoginRedirectInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const sessionRequest = findSessionRequest(context);
    if (!sessionRequest) return next.handle();
    return next.handle().pipe(
      map((result: unknown) => {
        const location = locationAfterHandler(sessionRequest.request);
        if (location === undefined) return result;
        throw redirectTo(location, sessionRequest.response);
      }),
    );
  }
}

/** With the header, filters of the application that answer every exception by its status redirect, too. */
function redirectTo(location: string, response: ServerResponse): LoginRedirect {
  if (!response.headersSent) response.setHeader('Location', location);
  return new LoginRedirect(location);
}
