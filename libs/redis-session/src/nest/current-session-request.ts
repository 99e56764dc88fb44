import { type ExecutionContext } from '@nestjs/common';
import { SessionRequest } from '../http/session-request.js';
import { SessionOptionError } from '../session/session.errors.js';
import { rawRequestOf } from './platform/raw-messages.js';

/** @returns undefined on a route that is excluded from sessions */
export function findSessionRequest(context: ExecutionContext): SessionRequest | undefined {
  return SessionRequest.of(rawRequestOf(context.switchToHttp().getRequest()));
}

/** @throws SessionOptionError on a route that is excluded from sessions */
export function requireSessionRequest(context: ExecutionContext): SessionRequest {
  const sessionRequest = findSessionRequest(context);
  if (sessionRequest) return sessionRequest;
  throw new SessionOptionError(
    `Cannot use the session in ${context.getClass().name}.${context.getHandler().name}: the route is excluded from sessions. Take it out of the option \`exclude\`.`,
  );
}
