import { IncomingMessage, ServerResponse } from 'node:http';
import { createParamDecorator } from '@nestjs/common';

/** What our module has for every handler, doing nothing: the floor and the peers have it too, so that nobody is spared it. */
const PASSING_GUARD = { canActivate: () => true };
const PASSING_INTERCEPTOR = { intercept: (_context, next) => next.handle() };

/** Gives a handler the user of the request, as `@CurrentUser()` does; undefined where there is none. */
export const UserOfRequest = createParamDecorator(
  (_data, context) => context.switchToHttp().getRequest().user,
);

/**
 * Adds what ours has: a global guard and, for comparison, a global interceptor or requests that are created with the
 * prototypes of Express.
 */
export function addEquals(app, { hasInterceptor = false, hasPrototypes = false } = {}) {
  if (hasPrototypes) givePrototypes(app.getHttpServer(), app.getHttpAdapter().getInstance());
  app.useGlobalGuards(PASSING_GUARD);
  if (hasInterceptor) app.useGlobalInterceptors(PASSING_INTERCEPTOR);
}

function givePrototypes(server, express) {
  const natives = { request: IncomingMessage, response: ServerResponse };
  for (const [name, native] of Object.entries(natives)) {
    const Created = class extends native {};
    express[name] = Object.setPrototypeOf(Created.prototype, express[name]);
    const options = Object.getOwnPropertySymbols(server);
    server[options.find(({ description }) => description === native.name)] = Created;
  }
}
