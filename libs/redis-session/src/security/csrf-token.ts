import { randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 bits: nobody guesses them. */
const SECRET_BYTES = 32;

/** @returns 32 random bytes in base64url */
export function createCsrfSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/**
 * Makes a token of `secret` that is never twice the same: a random pad, followed by the secret XOR the pad.
 *
 * Compressed pages of which an attacker controls a part give away a constant secret by their length (BREACH).
 *
 * @returns 64 bytes in base64url
 * @see XorCsrfTokenRequestAttributeHandler of Spring Security
 */
export function maskCsrfSecret(secret: string): string {
  const pad = randomBytes(SECRET_BYTES);
  return Buffer.concat([pad, xor(Buffer.from(secret, 'base64url'), pad)]).toString('base64url');
}

/** Whether `token` was made of `secret`. Takes the same time for every token of the right length. */
export function isCsrfToken(token: unknown, secret: unknown): boolean {
  if (typeof token !== 'string' || typeof secret !== 'string') return false;
  const bytes = Buffer.from(token, 'base64url');
  const expected = Buffer.from(secret, 'base64url');
  if (bytes.length !== 2 * SECRET_BYTES || expected.length !== SECRET_BYTES) return false;
  const unmasked = xor(bytes.subarray(SECRET_BYTES), bytes.subarray(0, SECRET_BYTES));
  return timingSafeEqual(unmasked, expected);
}

function xor(bytes: Buffer, pad: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (pad[index] ?? 0)));
}
