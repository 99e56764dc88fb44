import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

const KEY_BYTES = 32;

/** @returns `<salt>:<key>`, both in hexadecimal; the key is made by scrypt */
export function hashPassword(password: string, salt = randomBytes(16).toString('hex')): string {
  return `${salt}:${scryptSync(password, salt, KEY_BYTES).toString('hex')}`;
}

/** @returns whether `hash` was made of `password`; takes the same time either way */
export function isPasswordOf(hash: string, password: string): boolean {
  const [salt] = hash.split(':');
  return timingSafeEqual(Buffer.from(hash), Buffer.from(hashPassword(password, salt)));
}
