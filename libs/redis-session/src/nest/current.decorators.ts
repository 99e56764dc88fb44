import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { type SecurityContext } from '../security/security-context.js';
import { SessionOptionError } from '../session/session.errors.js';
import { findSessionRequest, isMessage, securityContextOf } from './call-context.js';

/** What Nest makes of a factory that takes `T`, by the types of the Nest that is installed: Nest 12 takes more than Nest 11. */
type HandlerParameter<T> = ReturnType<typeof createParamDecorator<T>>;

/**
 * Injects the {@link Session} of the request into a handler; a new one, which is stored once it is written to, when the
 * client has none. Handlers of WebSocket and microservice messages have no request: they take `@CurrentUser()`.
 */
export const CurrentSession: HandlerParameter<never> = createParamDecorator(
  (_data: never, context: ExecutionContext) => {
    const sessionRequest = findSessionRequest(context);
    if (sessionRequest) return sessionRequest.getSession();
    const reason = isMessage(context)
      ? 'sessions belong to HTTP requests, and this handles messages. Use @CurrentUser(), which needs @SecuredMessages() on the class, or read a session by its id from the injected SessionRepository.'
      : 'the route is excluded from sessions, or is no HTTP route. Take it out of the option exclude.';
    throw new SessionOptionError(
      `Cannot use the session in ${context.getClass().name}.${context.getHandler().name}: ${reason}`,
    );
  },
);

/** Injects the {@link SecurityContext} of the request or message into a handler. */
export const CurrentSecurityContext: HandlerParameter<never> = createParamDecorator(
  (_data: never, context: ExecutionContext) => securityContextOf(context),
);

/** Injects the principal of the logged-in user into a handler, or with a name one property of it; undefined = anonymous. */
export const CurrentUser: HandlerParameter<string | undefined> = createParamDecorator(
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
