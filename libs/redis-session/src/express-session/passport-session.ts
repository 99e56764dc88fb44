import { type IncomingMessage, type ServerResponse } from 'node:http';
import passport from 'passport';
import { SessionRequest } from '../http/request/session-request.js';

type Next = (error?: unknown) => void;
type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/** Under this attribute passport keeps `{"user":…}`, what the serializer made of the user. */
export const PASSPORT_ATTRIBUTE = 'passport';

/** Has passport put the user of the session on the request, by the application's `PassportSerializer`. */
export const passportSession = passport.session() as Middleware;

/**
 * `AuthGuard('session')` of @nestjs/passport ends with `request.user = undefined`, because the strategy passes without
 * giving a user. What the session still vouches for stays.
 *
 * @see https://github.com/nestjs/passport/issues/1505
 */
export function keepSessionUser(request: IncomingMessage): void {
  let user: unknown;
  Object.defineProperty(request, 'user', {
    configurable: true,
    enumerable: true,
    get: () => user,
    set: (value: unknown) => {
      if (value !== undefined || !hasSessionUser(request)) user = value;
    },
  });
}

function hasSessionUser(request: IncomingMessage): boolean {
  const session = SessionRequest.of(request)?.currentSession;
  const kept = session?.getAttribute<{ readonly user?: unknown } | null>(PASSPORT_ATTRIBUTE);
  return kept?.user !== undefined;
}

/** What the application's `PassportSerializer` makes of `user`. */
export function serialize(user: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    passport.serializeUser(user, (error: Error | null, id?: unknown) => {
      if (error) reject(error);
      else resolve(id);
    });
  });
}
