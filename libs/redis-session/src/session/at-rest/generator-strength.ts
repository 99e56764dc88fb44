import { type SessionLogger } from '../../lib/logger.js';
import { generateSessionId, type SessionIdGenerator, STABLE_PREFIX_LENGTH } from '../session-id.js';
import { SessionOptionError } from '../session.errors.js';

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

/** Warns of a generator whose ids have less than 128 random bits. UUIDs have 122. */
export function warnOfWeakGenerator(generate: SessionIdGenerator, logger: SessionLogger): void {
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
