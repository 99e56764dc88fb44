import { z } from 'zod';
import { type ResolvedOptionsOf, positiveOption } from '../lib/option-group.js';
import { type Session, type SessionView } from '../session/session.js';
import { type Authentication, agedAuthentication } from './authentication.js';
import { REMEMBER_ME_ATTRIBUTE } from '../session/attributes/attribute-names.js';

/**
 * How users are remembered: by a long-lived session, not by a token. Mirrors `SpringSessionRememberMeServices` of Spring
 * Session, which does not tell remembered users from others.
 */
export const rememberMeOptionGroup = z.strictObject({
  /** Seconds after a login for which the user counts as fully authenticated. */
  fullAuthenticationSeconds: positiveOption.default(1800),
  /** Name of the field of the login form or of its JSON. */
  parameter: z.string().min(1).describe('the name of a field').default('remember-me'),
  /** Seconds without a request after which the user is forgotten; also the Max-Age of the cookie. */
  validitySeconds: positiveOption.default(30 * 24 * 60 * 60),
});

/** The options with their defaults. */
export interface ResolvedRememberMeOptions extends ResolvedOptionsOf<
  typeof rememberMeOptionGroup
> {}

/** What the session holds: `{"validitySeconds":2592000}`. */
type RememberMeMark = Pick<ResolvedRememberMeOptions, 'validitySeconds'>;

const YES = ['true', 'on', 'yes', '1'];

/** @param body - the parsed form or JSON of the login; `true`, `on`, `yes` and `1` mean yes, in any case */
export function asksToBeRemembered(body: unknown, parameter: string): boolean {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, parameter)) return false;
  const value: unknown = (body as Record<string, unknown>)[parameter];
  const isScalar = ['string', 'number', 'boolean'].includes(typeof value);
  return isScalar && YES.includes(String(value).toLowerCase());
}

/** Makes `session` a long-lived one. From now on whenever the client is told its id, it is told to keep it as long. */
export function rememberSession(session: Session, { validitySeconds }: RememberMeMark): void {
  session.maxInactiveIntervalSeconds = validitySeconds;
  session.setAttribute<RememberMeMark>(REMEMBER_ME_ATTRIBUTE, { validitySeconds });
}

/** Makes a remembered `session` an ordinary one again, as after a login without the parameter. */
export function forgetRememberedSession(
  session: Session,
  maxInactiveIntervalSeconds: number,
): void {
  if (rememberedSeconds(session) === undefined) return;
  session.maxInactiveIntervalSeconds = maxInactiveIntervalSeconds;
  session.removeAttribute<string>(REMEMBER_ME_ATTRIBUTE);
}

/** @returns for how many seconds `session` is remembered, undefined for an ordinary one */
export function rememberedSeconds(session: SessionView): number | undefined {
  const mark = session.getAttribute<Partial<RememberMeMark> | null>(REMEMBER_ME_ATTRIBUTE);
  const seconds: unknown = mark?.validitySeconds;
  return typeof seconds === 'number' && seconds > 0 ? seconds : undefined;
}

/**
 * How sure we are of the user at this moment. In a remembered session a login counts as `full` for
 * `fullAuthenticationSeconds`, however active the user is, and as `remember-me` afterwards: a browser that is left
 * open, or whose cookie was stolen, opens no sensitive page for 30 days.
 */
export function withEffectiveKind(
  authentication: Authentication,
  session: SessionView,
  { nowMs, agesAfterSeconds = Infinity, fullAuthenticationSeconds }: FullAuthentication,
): Authentication {
  if (rememberedSeconds(session) === undefined)
    return agedAuthentication(authentication, nowMs, agesAfterSeconds);
  const limitMs = Math.min(agesAfterSeconds, fullAuthenticationSeconds) * 1000;
  const isRecent = nowMs - authentication.authenticatedAt < limitMs;
  return isRecent ? authentication : { ...authentication, kind: 'remember-me' };
}

/** For how many seconds a login counts as `full`. */
interface FullAuthentication {
  /** In any session. @defaultValue as long as the session lives */
  readonly agesAfterSeconds?: number | undefined;
  /** In a remembered session. */
  readonly fullAuthenticationSeconds: number;
  readonly nowMs: number;
}
