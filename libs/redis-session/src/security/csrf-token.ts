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
 * Compressed pages of which an attacker controls a part give away a constant secret by their length (BREACH). Spring Security
 * makes the same tokens of its secrets, so that an application which shares its sessions accepts them.
 *
 * @param secret - any text
 * @returns twice as many bytes as `secret` has in UTF-8, in base64url
 * @see XorCsrfTokenRequestAttributeHandler of Spring Security
 */
export function maskCsrfSecret(secret: string): string {
  const bytes = Buffer.from(secret);
  const pad = randomBytes(bytes.length);
  return Buffer.concat([pad, xor(bytes, pad)]).toString('base64url');
}

/** Whether `token` was made of `secret`. Takes the same time for every token of the right length. */
export function isCsrfToken(token: unknown, secret: unknown): boolean {
  if (typeof token !== 'string' || typeof secret !== 'string') return false;
  const bytes = Buffer.from(token, 'base64url');
  const expected = Buffer.from(secret);
  if (bytes.length !== 2 * expected.length || expected.length === 0) return false;
  const pad = bytes.subarray(0, expected.length);
  return timingSafeEqual(xor(bytes.subarray(expected.length), pad), expected);
}

function xor(bytes: Buffer, pad: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (pad[index] ?? 0)));
}
