import { type Session } from '../session/session.js';
import { SAVED_REQUESTS_ATTRIBUTE } from '../session/attributes/attribute-names.js';

/**
 * What becomes of the visitor's session when he logs in, so that nobody who knew its id before knows it afterwards
 * (OWASP session management cheat sheet, "Renew the session ID after any privilege level change").
 *
 * - `change-session-id`: same session, new id; the old one is dead in the same step
 * - `migrate-session`: a new session with all attributes and the idle time of the old one, which is deleted
 * - `new-session`: a new session that keeps only the saved requests; the old one is deleted
 * - `none`: nothing; only when something else prevents fixation
 *
 * @see SessionFixationConfigurer of Spring Security
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
export interface SessionHolder {
  getSession(options: { readonly create: false }): Promise<Session | undefined>;
  getSession(): Promise<Session>;
}

/**
 * Applies `strategy`, before the security context is stored. Afterwards ask `holder` for the session again. The session of
 * another user is deleted whatever the strategy: what he left in it is nobody else's.
 *
 * Does nothing when no session is stored: a new one has an id that nobody knows.
 *
 * @param isOfOther - whether somebody else is logged in in the session
 * @throws SessionStoreError when the old session cannot be deleted; it is still as it was
 * @throws SessionResponseCommittedError when the client could no longer be told
 */
export async function protectFromSessionFixation(
  holder: SessionHolder,
  strategy: SessionFixationStrategy,
  isOfOther = false,
): Promise<void> {
  if (strategy === 'none' && !isOfOther) return;
  const session = await holder.getSession({ create: false });
  if (!session || session.isNew) return;
  if (isOfOther) await session.invalidate();
  else if (strategy === 'change-session-id') session.changeSessionId();
  else await replaceSession(holder, session, strategy === 'migrate-session');
}

async function replaceSession(holder: SessionHolder, old: Session, keepsAll: boolean) {
  const names = keepsAll ? old.attributeNames : [SAVED_REQUESTS_ATTRIBUTE];
  const kept = names.map((name) => [name, old.getAttribute(name)] as const);
  const { maxInactiveIntervalSeconds } = old;
  await old.invalidate();
  const session = await holder.getSession();
  if (keepsAll) session.maxInactiveIntervalSeconds = maxInactiveIntervalSeconds;
  for (const [name, value] of kept) {
    if (value !== undefined) session.setAttribute(name, value);
  }
}
