import { rememberedSeconds } from '../security/remember-me.js';
import { SESSION_COOKIE_ATTRIBUTE } from '../session/session-cookie-attribute.js';
import { type Session } from '../session/session.js';

/** From now on whenever the client is told the id of `session`, it is told to keep it as long. @param seconds - null = until the browser is closed */
export function keepCookieFor(session: Session, seconds: number | null): void {
  session.setAttribute(SESSION_COOKIE_ATTRIBUTE, { maxAgeSeconds: seconds });
}

/** @returns seconds, null = until the browser is closed, undefined = the session has no lifetime of its own */
export function cookieLifetimeOf(session: Session): number | null | undefined {
  const mark = session.getAttribute<{ readonly maxAgeSeconds?: unknown } | null>(
    SESSION_COOKIE_ATTRIBUTE,
  );
  const seconds = mark?.maxAgeSeconds;
  if (seconds === null || (typeof seconds === 'number' && seconds >= 0)) return seconds;
  return rememberedSeconds(session);
}
