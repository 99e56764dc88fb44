import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const SALT_BYTES = 16;

/**
 * Seals what changes with a user's credentials, such as the hash of his password, for his session: who reads the session
 * does not learn it.
 *
 * @returns `<salt>.<HMAC-SHA256 of the stamp under the salt>`, both base64url
 */
export function sealCredentialStamp(stamp: string, salt = randomBytes(SALT_BYTES)): string {
  const seal = createHmac('sha256', salt).update(stamp).digest('base64url');
  return `${salt.toString('base64url')}.${seal}`;
}

/** Whether `sealed` was made of `stamp`. */
export function isCredentialStamp(stamp: string, sealed: string): boolean {
  const salt = Buffer.from(sealed.split('.', 1)[0] ?? '', 'base64url');
  const expected = Buffer.from(sealCredentialStamp(stamp, salt));
  const actual = Buffer.from(sealed);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
