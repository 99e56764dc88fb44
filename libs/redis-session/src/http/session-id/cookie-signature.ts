import { createHmac, timingSafeEqual, type CipherKey } from 'node:crypto';

/** As long as the output of HMAC-SHA256: a shorter secret would be the weakest part, RFC 2104 §3. */
export const MIN_SECRET_LENGTH = 32;

/** Of an HMAC-SHA256 in base64url. */
const SIGNATURE_LENGTH = 43;

/** A value whose signature was right. */
export interface VerifiedValue {
  readonly value: string;
  /** Signed with another secret than the first. */
  readonly isOld: boolean;
}

/** Signs `value` so that a client cannot make one up. @returns `<value>.<HMAC-SHA256, base64url>` */
export function sign(value: string, secret: string): string {
  return `${value}.${signatureOf(value, secret)}`;
}

/**
 * Takes the signature off. Compares in constant time and never throws, whatever the client sent.
 *
 * @returns undefined when there is no signature, or none of `secrets` made it
 */
export function verify(signed: string, secrets: readonly string[]): VerifiedValue | undefined {
  const dot = signed.lastIndexOf('.');
  if (dot < 1) return undefined;
  // A client may send a thousand short values in one request: no hash is computed for those.
  if (signed.length - dot - 1 !== SIGNATURE_LENGTH) return undefined;
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

/** The start of express-session's cookies. */
const SIGNED = 's:';

/** @returns `s:<id>.<HMAC-SHA256, base64 without padding>`, as express-session writes it */
export function signConnectId(id: string, secret: CipherKey, prefix = SIGNED): string {
  return `${prefix}${id}.${connectSignatureOf(id, secret)}`;
}

/** @returns the id, undefined when none of `secrets` has signed it */
export function verifyConnectId(
  value: string,
  secrets: readonly CipherKey[],
  prefix = SIGNED,
): string | undefined {
  const dot = value.lastIndexOf('.');
  if (!value.startsWith(prefix) || dot <= prefix.length) return undefined;
  const id = value.slice(prefix.length, dot);
  const given = Buffer.from(value.slice(dot + 1));
  return secrets.some((secret) => isEqual(given, connectSignatureOf(id, secret))) ? id : undefined;
}

function connectSignatureOf(id: string, secret: CipherKey): string {
  return createHmac('sha256', secret).update(id).digest('base64').replaceAll('=', '');
}
