import { hash, randomFillSync } from 'node:crypto';
import { type SessionLogger } from '../lib/logger.js';
import { SessionOptionError } from './session.errors.js';

/** Makes a new session id: unpredictable, at least 128 bits of entropy (OWASP session management cheat sheet). */
export type SessionIdGenerator = () => string;

/** Length of the part of an id that stays when the id changes: it keeps all keys of a session in one Redis Cluster slot. */
export const STABLE_PREFIX_LENGTH = 8;

const ID_BYTES = 32;

/**
 * Bytes of the generator for the next ids: to ask it for sixteen costs hardly more than for one, as in `randomUUID`. The bytes
 * of an id are erased once it is made.
 */
const randomBytes = Buffer.alloc(16 * ID_BYTES);
let usedCount = randomBytes.length;

/** 32 random bytes in base64url, 43 characters. */
export const generateSessionId: SessionIdGenerator = () => {
  if (usedCount === randomBytes.length) {
    randomFillSync(randomBytes);
    usedCount = 0;
  }
  const from = usedCount;
  usedCount += ID_BYTES;
  const id = randomBytes.toString('base64url', from, usedCount);
  randomBytes.fill(0, from, usedCount);
  return id;
};

/** What {@link generateSessionId} makes. */
export const SESSION_ID_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** What an id of an own generator may look like: no character that has a meaning in a cookie, a key or a hash tag. */
export const CUSTOM_SESSION_ID_PATTERN = /^[\w.~-]{16,256}$/;

interface SessionIdOptions {
  readonly sessionIdGenerator: SessionIdGenerator;
  readonly sessionIdPattern?: RegExp | undefined;
}

/** The pattern of the option, or what the generator makes. It never matches a storage id, which logs nobody in. */
export function sessionIdPatternOf(options: SessionIdOptions): RegExp {
  const { sessionIdGenerator: generate, sessionIdPattern: given } = options;
  if (given)
    return new RegExp(`^(?!.{${STABLE_PREFIX_LENGTH}}=)(?=[^]*?(?:${given.source}))`, given.flags);
  return generate === generateSessionId ? SESSION_ID_PATTERN : CUSTOM_SESSION_ID_PATTERN;
}

/** A new id for the session `previousId`: same stable prefix, all else from `generate`. At least 208 of its bits are new. */
export function generateChangedSessionId(previousId: string, generate: SessionIdGenerator): string {
  return previousId.slice(0, STABLE_PREFIX_LENGTH) + generate().slice(STABLE_PREFIX_LENGTH);
}

/** Stands between the stable prefix and the hash in a storage id. No id of a client contains it. */
const HASH_MARK = '=';

/**
 * The id under which a store keeps the session of `sessionId` with the option `hashIds`:
 *
 * ```
 * 4fQz81Lwr0Y…                       what the cookie holds
 * 4fQz81Lw=q2Hk0x1u…                 stable prefix, '=', SHA-256 of the whole id in base64url: 52 characters
 * ```
 *
 * Nobody can log in with a storage id. A storage id stays as it is.
 */
export function storageIdOf(sessionId: string): string {
  if (isStorageId(sessionId)) return sessionId;
  return (
    sessionId.slice(0, STABLE_PREFIX_LENGTH) + HASH_MARK + hash('sha256', sessionId, 'base64url')
  );
}

/** Whether `id` was made by {@link storageIdOf}. */
export function isStorageId(id: string): boolean {
  return id[STABLE_PREFIX_LENGTH] === HASH_MARK;
}

/** SHA-256 of a session id, 64 hex digits; the same for the id and its storage id. */
export function digestOf(id: string): string {
  if (!isStorageId(id)) return hash('sha256', id, 'hex');
  const digest = id.slice(STABLE_PREFIX_LENGTH + HASH_MARK.length);
  return Buffer.from(digest, 'base64url').toString('hex');
}

/** First 8 hex digits of SHA-256 of the id: tells in a log which lines belong together, and is of no use to log in. */
export function correlationId(sessionId: string): string {
  return digestOf(sessionId).slice(0, 8);
}

/** OWASP ASVS 5.0, 7.2.3. */
const LEAST_BITS = 128;

const SAMPLES = 64;

/** Each alphabet, and the bits that one of its characters holds at most. */
const ALPHABETS: readonly (readonly [RegExp, bits: number])[] = [
  [/^\d$/, Math.log2(10)],
  [/^[\da-f]$/i, 4],
  [/^[\da-z]$/, Math.log2(36)],
  [/^[\dA-Z]$/, Math.log2(36)],
];

/**
 * Refuses a generator whose ids can be found from what the store holds of them: the first 8 characters and a hash. It
 * looks at what the ids say: a character that is always the same tells nothing, a hexadecimal one 4 bits. A UUID has 122
 * random bits, of which 92 at most are left.
 *
 * @throws SessionOptionError
 */
export function refuseWeakGenerator(generate: SessionIdGenerator): void {
  const bits = randomBitsOf(generate, STABLE_PREFIX_LENGTH);
  if (bits >= LEAST_BITS) return;
  throw new SessionOptionError(
    `sessionIdGenerator must make ids with at least ${LEAST_BITS} random bits after the first ${STABLE_PREFIX_LENGTH} characters when hashIds is on, got ${Math.floor(bits)}. Leave it out, or make the ids longer.`,
  );
}

/** @throws SessionOptionError if `pattern` turns away what clients would send back of a generator of the application */
export function refuseUnusableGenerator(generate: SessionIdGenerator, pattern: RegExp): void {
  if (generate === generateSessionId) return;
  const id: unknown = generate();
  if (typeof id === 'string' && id.search(pattern) !== -1) return;
  const got =
    typeof id === 'string' ? `a text of ${id.length} characters` : `the type ${typeof id}`;
  throw new SessionOptionError(
    `sessionIdGenerator must return a text that sessionIdPattern matches (by default 16 to 256 characters of A-Z a-z 0-9 _ . ~ -), got ${got}.`,
  );
}

/** Warns of ids that `pattern` turns away, and of a generator whose ids have less than 128 random bits. UUIDs have 122. */
export function warnOfIds(
  generate: SessionIdGenerator,
  pattern: RegExp,
  logger: SessionLogger,
): void {
  if (generate().search(pattern) === -1)
    logger.warn(
      'sessionIdPattern does not match the ids of new sessions: no request finds them. Set sessionIdGenerator, too, unless the application opens none.',
    );
  const bits = randomBitsOf(generate, 0);
  if (bits >= LEAST_BITS) return;
  logger.warn(
    `sessionIdGenerator makes ids with at most ${Math.floor(bits)} random bits, and ${LEAST_BITS} are asked for (OWASP ASVS 5.0, 7.2.3). Leave it out, or make the ids longer.`,
  );
}

/** At most so many bits of an id are random from its character `from` on, as far as a sample tells. */
function randomBitsOf(generate: SessionIdGenerator, from: number): number {
  if (generate === generateSessionId) return Infinity;
  const ids = Array.from({ length: SAMPLES }, () => generate().slice(from));
  const [first = '', ...others] = ids;
  const random = Array.from(first).flatMap((character, at) => {
    const characters = new Set([character, ...others.map((id) => id[at] ?? '')]);
    return characters.size > 1 ? [characters] : [];
  });
  const seen = random.flatMap((characters) => [...characters]);
  const known = ALPHABETS.find(([alphabet]) => seen.every((character) => alphabet.test(character)));
  return random.length * (known?.[1] ?? 6);
}
