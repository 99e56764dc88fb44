import { rememberedSeconds } from '../security/remember-me.js';
import { SESSION_COOKIE_ATTRIBUTE } from '../session/session-cookie-attribute.js';
import { type Session } from '../session/session.js';

/** @returns seconds, null = until the browser is closed, undefined = the session has no lifetime of its own */
export function cookieLifetimeOf(session: Session): number | null | undefined {
  const mark = session.getAttribute<{ readonly maxAgeSeconds?: unknown } | null>(
    SESSION_COOKIE_ATTRIBUTE,
  );
  const seconds = mark?.maxAgeSeconds;
  if (seconds === null || (typeof seconds === 'number' && seconds >= 0)) return seconds;
  return rememberedSeconds(session);
}
