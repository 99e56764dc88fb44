import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { securityContextOf } from './message-context.js';

/** Injects the principal of the logged-in user into a handler, or with a name one property of it; undefined = anonymous. */
export const CurrentUser = createParamDecorator(
  async (property: string | undefined, context: ExecutionContext): Promise<unknown> => {
    const { authentication } = await securityContextOf(context);
    const principal = authentication?.principal;
    if (property === undefined || typeof principal !== 'object' || principal === null) {
      return principal;
    }
    return (principal as Record<string, unknown>)[property];
  },
);
