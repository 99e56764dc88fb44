import { isUtf8 } from 'node:buffer';
import { createHmac, timingSafeEqual, type CipherKey } from 'node:crypto';
import { type IncomingMessage } from 'node:http';

/** `plain`: percent-encoded where RFC 6265 asks for it. `base64`: RFC 4648 standard alphabet over UTF-8, as Spring writes it. */
export type CookieEncoding = 'plain' | 'base64';

/** Makes a cookie value of `text`. */
export function encodeCookieValue(text: string, encoding: CookieEncoding): string {
  return encoding === 'base64' ? Buffer.from(text).toString('base64') : encodeURIComponent(text);
}

/**
 * Reverses {@link encodeCookieValue}.
 *
 * @returns undefined for a value that it cannot have made; missing base64 padding is tolerated
 */
export function decodeCookieValue(value: string, encoding: CookieEncoding): string | undefined {
  return encoding === 'base64' ? decodeBase64(value) : decodePlain(value);
}

function decodePlain(value: string): string | undefined {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Strict, unlike `Buffer.from`, which skips what it does not know: one id must not have many cookie values. */
function decodeBase64(value: string): string | undefined {
  const bytes = Buffer.from(value, 'base64');
  const canonical = bytes.toString('base64');
  if (value.padEnd(canonical.length, '=') !== canonical || !isUtf8(bytes)) return undefined;
  return bytes.toString();
}

/** Longest host name, RFC 1035 §2.3.4. Also bounds the work of the application's own pattern on a hostile `Host` header. */
const MAX_HOST_NAME_LENGTH = 253;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'i');

/** Whether `text` may stand in the `Domain` attribute: dot-separated labels, no dot or hyphen at the ends. */
export function isCookieDomain(text: string): boolean {
  return text.length <= MAX_HOST_NAME_LENGTH && DOMAIN.test(text);
}

/**
 * Makes the function that finds the `Domain` of the cookie for a request.
 *
 * @param pattern - must match the whole host name, in any case; its group 1 is the domain
 * @returns a function that gives undefined (no `Domain` attribute) when the pattern does not match
 */
export function domainByPattern(pattern: RegExp): (request: IncomingMessage) => string | undefined {
  const flags = new Set(pattern.flags.replace(/[gy]/g, '')).add('i');
  const wholeName = new RegExp(`^(?:${pattern.source})$`, [...flags].join(''));
  return (request) => {
    const host = hostNameOf(request);
    if (host.length > MAX_HOST_NAME_LENGTH) return undefined;
    const domain = wholeName.exec(host)?.[1];
    return domain !== undefined && isCookieDomain(domain) ? domain : undefined;
  };
}

function hostNameOf(request: IncomingMessage): string {
  const host = request.headers.host ?? request.headers[':authority'];
  return typeof host === 'string' ? host.replace(/:\d*$/, '') : '';
}

/**
 * Yields the values of all cookies named exactly `name`, in the order of a `Cookie` header, without surrounding quotes.
 *
 * A browser sends several cookies of one name when they differ in path or domain; a parser that returns an object would
 * keep one of them. Linear in the length of the header; one `indexOf` when the name does not occur.
 *
 * @see RFC 6265 §5.4
 */
export function* findCookieValues(header: string, name: string): Generator<string, void> {
  const marker = `${name}=`;
  let at = header.indexOf(marker);
  while (at !== -1) {
    const start = at + marker.length;
    if (startsPair(header, at)) {
      const semicolon = header.indexOf(';', start);
      const end = semicolon === -1 ? header.length : semicolon;
      yield unquoted(header.slice(start, end).trim());
    }
    at = header.indexOf(marker, start);
  }
}

function startsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (header[before] === ' ' || header[before] === '\t')) before -= 1;
  return before < 0 || header[before] === ';';
}

function unquoted(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.slice(1, -1) : value;
}

/** Of an HMAC-SHA256 in base64url. */
const SIGNATURE_LENGTH = 43;

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
