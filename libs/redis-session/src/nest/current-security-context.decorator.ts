import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { securityContextOf } from './message-context.js';

/** Injects the {@link SecurityContext} of the request or message into a handler. */
export const CurrentSecurityContext = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => securityContextOf(context),
);
