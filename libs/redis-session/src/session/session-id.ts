import { createHash, randomBytes } from 'node:crypto';

/** Makes a new session id: unpredictable, at least 128 bits of entropy (OWASP session management cheat sheet). */
export type SessionIdGenerator = () => string;

/** Length of the part of an id that stays when the id changes: it keeps all keys of a session in one Redis Cluster slot. */
export const STABLE_PREFIX_LENGTH = 8;

/** 32 random bytes in base64url, 43 characters. */
export const generateSessionId: SessionIdGenerator = () => randomBytes(32).toString('base64url');

/** What {@link generateSessionId} makes. */
export const SESSION_ID_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** What an id of an own generator may look like: no character that has a meaning in a cookie, a key or a hash tag. */
export const CUSTOM_SESSION_ID_PATTERN = /^[\w.~-]{16,256}$/;

/** A new id for the session `previousId`: same stable prefix, all else from `generate`. At least 208 of its bits are new. */
export function generateChangedSessionId(previousId: string, generate: SessionIdGenerator): string {
  return previousId.slice(0, STABLE_PREFIX_LENGTH) + generate().slice(STABLE_PREFIX_LENGTH);
}

/** First 8 hex digits of SHA-256 of the id: tells in a log which lines belong together, and is of no use to log in. */
export function correlationId(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex').slice(0, 8);
}
