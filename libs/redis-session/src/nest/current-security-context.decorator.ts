import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { securityContextOf } from './security-context-of.js';

/** Injects the {@link SecurityContext} of the request into a handler. */
export const CurrentSecurityContext = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => securityContextOf(context),
);
