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
  if (generate === generateSessionId) return;
  const ids = Array.from({ length: SAMPLES }, generate);
  const bits = bitsBeyondPrefix(ids);
  if (bits >= LEAST_BITS) return;
  throw new SessionOptionError(
    `sessionIdGenerator must make ids with at least ${LEAST_BITS} random bits after the first ${STABLE_PREFIX_LENGTH} characters when hashIds is on, got ${Math.floor(bits)}. Leave it out, or make the ids longer.`,
  );
}

function bitsBeyondPrefix(ids: readonly string[]): number {
  const [first = '', ...others] = ids.map((id) => id.slice(STABLE_PREFIX_LENGTH));
  const random = Array.from(first).flatMap((character, at) => {
    const characters = new Set([character, ...others.map((id) => id[at] ?? '')]);
    return characters.size > 1 ? [characters] : [];
  });
  const seen = random.flatMap((characters) => [...characters]);
  const known = ALPHABETS.find(([alphabet]) => seen.every((character) => alphabet.test(character)));
  return random.length * (known?.[1] ?? 6);
}
