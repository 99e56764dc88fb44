import { rememberedSeconds } from '../../security/remember-me.js';
import { SESSION_COOKIE_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { type Session } from '../../session/session.js';

/** What the cookie of one session has in place of what the options say. */
export interface SessionCookieSettings {
  readonly httpOnly?: boolean | undefined;
  /** false omits the attribute */
  readonly sameSite?: 'lax' | 'strict' | 'none' | false | undefined;
  readonly secure?: boolean | undefined;
}

/** Of most sessions. */
const NO_MARK = Object.freeze({});

const SAME_SITE: readonly unknown[] = ['lax', 'strict', 'none', false];

/** @returns those that the session has of its own, and nothing else */
export function cookieSettingsOf(session: Session): SessionCookieSettings {
  const { httpOnly, sameSite, secure } = markOf(session) as SessionCookieSettings;
  return {
    ...(typeof httpOnly === 'boolean' && { httpOnly }),
    ...(SAME_SITE.includes(sameSite) && { sameSite }),
    ...(typeof secure === 'boolean' && { secure }),
  };
}

/** From now on the cookie of `session` has these settings. @param settings - undefined takes one back */
export function keepCookieSettings(session: Session, settings: SessionCookieSettings): void {
  mark(session, settings);
}

/** From now on whenever the client is told the id of `session`, it is told to keep it as long. @param seconds - null = until the browser is closed */
export function keepCookieFor(session: Session, seconds: number | null): void {
  mark(session, { maxAgeSeconds: seconds });
}

function mark(session: Session, settings: object): void {
  const all = Object.entries({ ...markOf(session), ...settings });
  const kept = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  session.setAttribute<object>(SESSION_COOKIE_ATTRIBUTE, kept);
}

function markOf(session: Session): object {
  const mark = session.getAttribute<object | string | null>(SESSION_COOKIE_ATTRIBUTE);
  return typeof mark === 'object' && mark !== null ? mark : NO_MARK;
}

/** @returns seconds, null = until the browser is closed, undefined = the session has no lifetime of its own */
export function cookieLifetimeOf(session: Session): number | null | undefined {
  const { maxAgeSeconds: seconds } = markOf(session) as { readonly maxAgeSeconds?: unknown };
  if (seconds === null || (typeof seconds === 'number' && seconds >= 0)) return seconds;
  return rememberedSeconds(session);
}
