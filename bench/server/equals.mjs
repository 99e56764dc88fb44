import { createParamDecorator } from '@nestjs/common';

/** What our module has for every handler, doing nothing: the floor and the peers have it too, so that nobody is spared it. */
const PASSING_GUARD = { canActivate: () => true };
const PASSING_INTERCEPTOR = { intercept: (_context, next) => next.handle() };

/** Gives a handler the user of the request, as `@CurrentUser()` does; undefined where there is none. */
export const UserOfRequest = createParamDecorator(
  (_data, context) => context.switchToHttp().getRequest().user,
);

/** Adds what ours has: a global guard and, for comparison with our defaults, a global interceptor. */
export function addEquals(app, { hasInterceptor = false } = {}) {
  app.useGlobalGuards(PASSING_GUARD);
  if (hasInterceptor) app.useGlobalInterceptors(PASSING_INTERCEPTOR);
}
