import { createHmac, timingSafeEqual } from 'node:crypto';

/** A value whose signature was right. */
export interface VerifiedValue {
  readonly value: string;
  /** Signed with another secret than the first. */
  readonly isOld: boolean;
}

/**
 * Signs `value` so that a client cannot make one up.
 *
 * @returns `<value>.<HMAC-SHA256, base64url, 43 characters>`
 */
export function sign(value: string, secret: string): string {
  return `${value}.${signatureOf(value, secret)}`;
}

/**
 * Takes the signature off, when it was made with one of `secrets`.
 *
 * Compares in constant time and never throws, whatever the client sent.
 *
 * @param secrets - the first signs, all verify: a new one is put in front, an old one is dropped when its cookies are gone
 * @returns undefined when there is no signature, or none of the secrets made it
 */
export function verify(signed: string, secrets: readonly string[]): VerifiedValue | undefined {
  const dot = signed.lastIndexOf('.');
  if (dot < 1) return undefined;
  const value = signed.slice(0, dot);
  const signature = Buffer.from(signed.slice(dot + 1));
  const index = secrets.findIndex((secret) => isEqual(signature, signatureOf(value, secret)));
  return index === -1 ? undefined : { value, isOld: index > 0 };
}

function signatureOf(value: string, secret: string): string {
  return createHmac('sha256', secret).update(value).digest('base64url');
}

function isEqual(given: Buffer, expectedText: string): boolean {
  const expected = Buffer.from(expectedText);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
