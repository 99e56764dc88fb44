import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { SessionOptionError } from '../session/session.errors.js';
import { findSessionRequest } from './message-context.js';

/**
 * Injects the {@link Session} of the request into a handler; a new one, which is stored once it is written to, when the
 * client has none.
 */
export const CurrentSession = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const sessionRequest = findSessionRequest(context);
  if (sessionRequest) return sessionRequest.getSession();
  throw new SessionOptionError(
    `Cannot use the session in ${context.getClass().name}.${context.getHandler().name}: the route is excluded from sessions, or is no HTTP route. Take it out of the option \`exclude\`.`,
  );
});
