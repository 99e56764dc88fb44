import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { SessionOptionError } from '../session/session.errors.js';
import { findSessionRequest, isMessage } from './message-context.js';

/**
 * Injects the {@link Session} of the request into a handler; a new one, which is stored once it is written to, when the
 * client has none. Handlers of WebSocket and microservice messages have no request: they take `@CurrentUser()`.
 */
export const CurrentSession = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const sessionRequest = findSessionRequest(context);
  if (sessionRequest) return sessionRequest.getSession();
  const reason = isMessage(context)
    ? 'sessions belong to HTTP requests, and this handles messages. Use @CurrentUser(), which needs @SecuredMessages() on the class, or read a session by its id from the injected SessionRepository.'
    : 'the route is excluded from sessions, or is no HTTP route. Take it out of the option `exclude`.';
  throw new SessionOptionError(
    `Cannot use the session in ${context.getClass().name}.${context.getHandler().name}: ${reason}`,
  );
});
