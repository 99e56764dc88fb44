import { type CipherKey, createHmac, timingSafeEqual } from 'node:crypto';

/** The start of express-session's cookies. */
const SIGNED = 's:';

/** @returns `s:<id>.<HMAC-SHA256, base64 without padding>`, as express-session writes it */
export function signConnectId(id: string, secret: CipherKey, prefix = SIGNED): string {
  return `${prefix}${id}.${signatureOf(id, secret)}`;
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
  const isSigned = secrets.some((secret) => {
    const expected = Buffer.from(signatureOf(id, secret));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return isSigned ? id : undefined;
}

function signatureOf(id: string, secret: CipherKey): string {
  return createHmac('sha256', secret).update(id).digest('base64').replaceAll('=', '');
}
