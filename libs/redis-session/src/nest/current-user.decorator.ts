import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type SecurityContext } from '../security/security-context.js';
import { securityContextOf } from './message-context.js';

/** Injects the principal of the logged-in user into a handler, or with a name one property of it; undefined = anonymous. */
export const CurrentUser = createParamDecorator(
  (property: string | undefined, context: ExecutionContext): unknown => {
    const loaded = securityContextOf(context);
    if (!(loaded instanceof Promise)) return partOfUser(property, loaded);
    return loaded.then((securityContext) => partOfUser(property, securityContext));
  },
);

function partOfUser(property: string | undefined, { authentication }: SecurityContext): unknown {
  const principal = authentication?.principal;
  if (property === undefined || typeof principal !== 'object' || principal === null) {
    return principal;
  }
  return (principal as Record<string, unknown>)[property];
}
