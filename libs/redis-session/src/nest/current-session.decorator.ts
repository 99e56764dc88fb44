import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { requireSessionRequest } from './current-session-request.js';

/**
 * Injects the {@link Session} of the request into a handler; a new one, which is stored once it is written to, when the
 * client has none.
 */
export const CurrentSession = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  requireSessionRequest(context).getSession(),
);
