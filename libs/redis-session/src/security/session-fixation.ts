import { type Session } from '../session/session.js';
import {
  SAVED_REQUESTS_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
} from '../session/attributes/attribute-names.js';

/**
 * What becomes of the visitor's session when he logs in, so that nobody who knew its id before knows it afterwards. Mirrors
 * `SessionFixationConfigurer` of Spring Security.
 *
 * - `change-session-id`: same session, new id; the old one is dead in the same step
 * - `migrate-session`: a new session with all attributes and the idle time of the old one, which is deleted
 * - `new-session`: a new session that keeps only the saved requests; the old one is deleted
 * - `none`: nothing; only when something else prevents fixation
 */
export const SESSION_FIXATION_STRATEGIES = [
  'change-session-id',
  'migrate-session',
  'new-session',
  'none',
] as const;

/** One of {@link SESSION_FIXATION_STRATEGIES}. */
export type SessionFixationStrategy = (typeof SESSION_FIXATION_STRATEGIES)[number];

/** Who has the session of a request, such as `SessionRequest`. */
export interface SessionHolder<S extends Session> {
  getSession(options: { readonly create: false }): Promise<S | undefined>;
  /** A new session that takes the place of the present one, which stays in the store. */
  startSession(): S;
}

/**
 * Applies `strategy`, before the security context is stored. Afterwards ask `holder` for the session again. The session of
 * another user is replaced by an empty one whatever the strategy: what he left in it is nobody else's.
 *
 * Does nothing when no session is stored: a new one has an id that nobody knows.
 *
 * @param isOfOther - whether somebody else is logged in in the session
 * @returns the session that was replaced, still stored: the caller has to invalidate it
 * @throws SessionResponseCommittedError
 */
export async function protectFromSessionFixation<S extends Session>(
  holder: SessionHolder<S>,
  strategy: SessionFixationStrategy,
  isOfOther = false,
): Promise<S | undefined> {
  if (strategy === 'none' && !isOfOther) return undefined;
  const session = await holder.getSession({ create: false });
  if (!session || session.isNew) return undefined;
  if (strategy === 'change-session-id' && !isOfOther) {
    session.changeSessionId();
    return undefined;
  }
  const next = holder.startSession();
  if (!isOfOther) takeOver(session, next, strategy === 'migrate-session');
  return session;
}

/** The login puts another context in place of this one. Without any, a save in between would log the user out. */
const RENEWED = [SAVED_REQUESTS_ATTRIBUTE, SECURITY_CONTEXT_ATTRIBUTE];

/**
 * Applies `strategy` to a stored session whose user logs in again: it gets a new id, and with `new-session` keeps no more than
 * a new one would.
 *
 * @param maxInactiveIntervalSeconds - of a new session
 */
export function renewInPlace(
  session: Session,
  strategy: SessionFixationStrategy,
  maxInactiveIntervalSeconds: number,
): void {
  if (strategy === 'none' || session.isNew) return;
  session.changeSessionId();
  if (strategy !== 'new-session') return;
  session.maxInactiveIntervalSeconds = maxInactiveIntervalSeconds;
  for (const name of session.attributeNames)
    if (!RENEWED.includes(name)) session.removeAttribute(name);
}

function takeOver(old: Session, next: Session, keepsAll: boolean): void {
  if (keepsAll) next.maxInactiveIntervalSeconds = old.maxInactiveIntervalSeconds;
  for (const name of keepsAll ? old.attributeNames : [SAVED_REQUESTS_ATTRIBUTE]) {
    const value = old.getAttribute(name);
    if (value !== undefined) next.setAttribute(name, value);
  }
}
